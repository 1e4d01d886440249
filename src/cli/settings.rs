//! Settings: arguments made sense of, or refused with a reason.

use std::net::IpAddr;
use std::path::PathBuf;

use anyhow::{Context, bail};
use ipnet::IpNet;

use super::args::{Format, InputArgs, MessagesArgs, ReadArgs};
use crate::flow::Address;
use crate::packet::Ports;

/// What to read, and how.
#[derive(Debug)]
pub struct Input {
    pub files: Vec<PathBuf>,
    pub ports: Ports,
    pub filter: Option<String>,
    pub workers: usize,
    pub shows_progress: bool,
}

/// Settings of `whoasked read`.
#[derive(Debug)]
pub struct Read {
    pub input: Input,
    pub lists: Vec<PathBuf>,
    pub resolvers: Vec<Vec<Address>>,
    pub internal: Vec<IpNet>,
    pub format: Format,
}

/// Settings of `whoasked messages`.
#[derive(Debug)]
pub struct Messages {
    pub input: Input,
}

impl Read {
    /// # Errors
    /// When an address or network cannot be read, or stdin is to be two things at once.
    pub fn new(args: ReadArgs) -> anyhow::Result<Read> {
        let stdin = |path: &&PathBuf| path.as_os_str() == "-";
        let from_stdin = args.input.files.iter().chain(&args.indicators).filter(stdin).count();
        if from_stdin > 1 {
            bail!("`-` (stdin) can stand for one input only");
        }
        let resolvers: Vec<Vec<Address>> =
            args.resolver.iter().map(|text| addresses(text)).collect::<anyhow::Result<_>>()?;
        let mut seen: Vec<Address> = resolvers.iter().flatten().copied().collect();
        seen.sort_unstable();
        if let Some(twice) = seen.windows(2).find_map(|pair| match pair {
            [one, other] if one == other => Some(*one),
            _ => None,
        }) {
            bail!("--resolver: {twice} is given twice");
        }
        let internal =
            args.internal.iter().map(|text| network(text)).collect::<anyhow::Result<_>>()?;
        Ok(Read {
            input: Input::new(args.input),
            lists: args.indicators,
            resolvers,
            internal,
            format: args.format,
        })
    }
}

impl Messages {
    /// # Errors
    /// None yet; all settings of it are valid.
    pub fn new(args: MessagesArgs) -> anyhow::Result<Messages> {
        Ok(Messages { input: Input::new(args.input) })
    }
}

impl Input {
    fn new(args: InputArgs) -> Input {
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
        Input {
            files: args.files,
            ports: Ports::new(&args.port),
            filter: args.filter,
            workers: args.workers.map_or(cores.min(4), usize::from),
            shows_progress: !args.no_progress,
        }
    }
}

fn addresses(text: &str) -> anyhow::Result<Vec<Address>> {
    let address = |part: &str| {
        let part = part.trim();
        let ip: IpAddr = part.parse().with_context(|| {
            format!("--resolver: `{part}` is no IP address (expected such as 10.0.0.10)")
        })?;
        Ok(Address::from(ip))
    };
    text.split(',').map(address).collect()
}

fn network(text: &str) -> anyhow::Result<IpNet> {
    let host = text.parse::<IpAddr>().map(IpNet::from);
    host.or_else(|_| text.parse()).with_context(|| {
        format!("--internal: `{text}` is no network (expected such as 10.0.0.0/8)")
    })
}
