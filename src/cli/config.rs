//! `--config FILE`: flags from a TOML file.
//!
//! Each flag of a subcommand is a key of the same name; `docs/whoasked.toml` is an example. A key at the top
//! holds for every subcommand that has the flag, one in the table of a subcommand (`[read]`) for that alone,
//! before one at the top. What stands on the command line comes before both: a flag that is given there is
//! not taken from the file at all, so that lists of the two are not mixed.
//!
//! The file becomes arguments, which are read as if they had been typed before the others; so what a flag
//! may be is said in one place.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The flag itself, which is no key.
const FLAG: &str = "config";
/// The largest file that is taken for a configuration, in octets.
const FILE_OCTETS_MAX: u64 = 1 << 20;

/// A flag from the file.
struct Setting {
    /// Its name, without hyphens.
    flag: String,
    /// The line that it stands in.
    line: usize,
    arguments: Vec<OsString>,
}

/// A file being read.
struct Source<'a> {
    path: &'a Path,
    text: &'a str,
}

/// The arguments with those of the file put in, and from where: for what is said of a bad one.
pub struct Arguments {
    /// As if all had been typed.
    pub all: Vec<OsString>,
    path: Option<PathBuf>,
    settings: Vec<(String, usize)>,
}

/// Adds what `--config` says, if it is given.
///
/// # Errors
/// When the file cannot be read, or has a key that is no flag of any subcommand.
pub fn arguments(command: &Command, typed: Vec<OsString>) -> anyhow::Result<Arguments> {
    let lenient = command.clone().ignore_errors(true).try_get_matches_from(&typed).ok();
    let chosen = lenient.as_ref().map(|matches| chosen(command, matches)).unwrap_or_default();
    let path = chosen.last().and_then(|(_, matches)| config_of(matches));
    let Some(path) = path else {
        return Ok(Arguments { all: typed, path: None, settings: Vec::new() });
    };
    let mut text = String::new();
    let file = File::open(&path).map(|file| file.take(FILE_OCTETS_MAX + 1));
    file.and_then(|mut file| file.read_to_string(&mut text))
        .with_context(|| format!("--config: cannot read {}", path.display()))?;
    if text.len() as u64 > FILE_OCTETS_MAX {
        bail!("--config: {} is too long (more than {FILE_OCTETS_MAX} bytes)", path.display());
    }
    let source = Source { path: &path, text: &text };
    let settings = source.settings(command, &chosen)?;
    let mut all = typed;
    // They go behind the words of the subcommand, so before all that was typed for it.
    let mut place = 1;
    for (name, _) in &chosen {
        let found = all.iter().skip(place).position(|word| word == OsStr::new(name));
        place += found.map_or(0, |found| found + 1);
    }
    let lines = settings.iter().map(|setting| (setting.flag.clone(), setting.line)).collect();
    let added = settings.into_iter().flat_map(|setting| setting.arguments);
    all.splice(place..place, added);
    Ok(Arguments { all, path: Some(path), settings: lines })
}

impl Arguments {
    /// Where in the file a flag stands that clap complains of.
    pub fn origin(&self, error: &clap::Error) -> Option<String> {
        let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else {
            return None;
        };
        let (_, line) = self.settings.iter().find(|(known, _)| {
            let rest = flag.strip_prefix("--").and_then(|flag| flag.strip_prefix(known.as_str()));
            rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '-'))
        })?;
        Some(format!("{}, line {line}", self.path.as_ref()?.display()))
    }
}

/// The words of the subcommand that was called, each with what was given to it.
fn chosen<'m>(command: &Command, matches: &'m ArgMatches) -> Vec<(String, &'m ArgMatches)> {
    let mut chosen = Vec::new();
    let (mut command, mut matches) = (command, matches);
    while let Some((name, below)) = matches.subcommand()
        && let Some(next) = command.find_subcommand(name)
    {
        chosen.push((name.to_owned(), below));
        (command, matches) = (next, below);
    }
    chosen
}

fn config_of(matches: &ArgMatches) -> Option<PathBuf> {
    matches.try_get_one::<PathBuf>(FLAG).ok().flatten().cloned()
}

/// Whether a key can name an argument: it is a flag with a long name.
fn is_key(argument: &Arg, key: &str) -> bool {
    argument.get_long() == Some(key) && !matches!(key, FLAG | "help" | "version")
}

/// Whether the command line has a flag, or one that excludes it.
fn is_settled(command: &Command, argument: &Arg, matches: &ArgMatches) -> bool {
    let is_typed = |argument: &Arg| {
        matches.value_source(argument.get_id().as_str()) == Some(ValueSource::CommandLine)
    };
    let excludes = |one: &Arg, other: &Arg| {
        let mut excluded = command.get_arg_conflicts_with(one).into_iter();
        excluded.any(|excluded| excluded.get_id() == other.get_id())
    };
    is_typed(argument)
        || command
            .get_arguments()
            .filter(|other| is_typed(other))
            .any(|other| excludes(argument, other) || excludes(other, argument))
}

/// The flags of a command and all below it.
fn has_flag(command: &Command, key: &str) -> bool {
    command.get_arguments().any(|argument| is_key(argument, key))
        || command.get_subcommands().any(|below| has_flag(below, key))
}

impl Source<'_> {
    fn line(&self, span: Range<usize>) -> usize {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        before.bytes().filter(|octet| *octet == b'\n').count() + 1
    }

    fn at(&self, span: Range<usize>) -> String {
        format!("--config: {}, line {}", self.path.display(), self.line(span))
    }

    /// The flags for the subcommand that was called. All keys are looked at, for whatever subcommand they are.
    fn settings(
        &self,
        command: &Command,
        chosen: &[(String, &ArgMatches)],
    ) -> anyhow::Result<Vec<Setting>> {
        let table = DeTable::parse(self.text).map_err(|error| {
            let at = error
                .span()
                .map_or_else(|| format!("--config: {}", self.path.display()), |span| self.at(span));
            anyhow::anyhow!("{at}: {}", error.message())
        })?;
        let mut settings = Vec::new();
        let Some((_, matches)) = chosen.last() else { return Ok(settings) };
        let words: Vec<&str> = chosen.iter().map(|(name, _)| name.as_str()).collect();
        self.walk(command, table.get_ref(), Some(&words), matches, &mut settings)?;
        Ok(settings)
    }

    /// Takes the keys of a table. `path` is what of the subcommand's words stands below it, none where the
    /// table is another subcommand's.
    fn walk(
        &self,
        command: &Command,
        table: &DeTable<'_>,
        path: Option<&[&str]>,
        matches: &ArgMatches,
        settings: &mut Vec<Setting>,
    ) -> anyhow::Result<()> {
        let called = path.map(|path| {
            path.iter().try_fold(command, |command, word| command.find_subcommand(word))
        });
        let is_table = |value: &Spanned<DeValue<'_>>| value.get_ref().is_table();
        for (key, value) in table.iter().filter(|(_, value)| !is_table(value)) {
            let name = key.get_ref().as_ref();
            if !has_flag(command, name) {
                bail!("{}: `{name}` is not an option{}", self.at(key.span()), of(command));
            }
            let Some(called) = called.flatten() else { continue };
            let mut arguments = called.get_arguments();
            let Some(argument) = arguments.find(|argument| is_key(argument, name)) else {
                continue;
            };
            let setting = self.setting(argument, key, value)?;
            if !is_settled(called, argument, matches) {
                settings.retain(|known| known.flag != setting.flag);
                settings.push(setting);
            }
        }
        // The nearer a table is to the subcommand, the later: what stands there holds.
        for (key, value) in table {
            let DeValue::Table(inner) = value.get_ref() else { continue };
            let name = key.get_ref().as_ref();
            let Some(below) = command.find_subcommand(name) else {
                bail!("{}: [{name}] is not a subcommand", self.at(key.span()));
            };
            let rest = match path {
                Some([first, rest @ ..]) if *first == name => Some(rest),
                _ => None,
            };
            self.walk(below, inner, rest, matches, settings)?;
        }
        Ok(())
    }

    fn setting(
        &self,
        argument: &Arg,
        key: &Spanned<std::borrow::Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
    ) -> anyhow::Result<Setting> {
        let name = key.get_ref().as_ref();
        let takes_value = matches!(argument.get_action(), ArgAction::Set | ArgAction::Append);
        let is_optional = argument.get_num_args().is_some_and(|count| count.min_values() == 0);
        let is_list = matches!(argument.get_action(), ArgAction::Append);
        let with = |text: &str| OsString::from(format!("--{name}={text}"));
        let arguments = match value.get_ref() {
            DeValue::Boolean(given) if !takes_value || is_optional => {
                given.then(|| OsString::from(format!("--{name}"))).into_iter().collect()
            }
            DeValue::Array(values) if is_list => values
                .iter()
                .map(|value| match scalar(value.get_ref()) {
                    Some(text) => Ok(with(&text)),
                    None => bail!(
                        "{}: `{name}` takes a list of strings, not of {}",
                        self.at(value.span()),
                        value.get_ref().type_str()
                    ),
                })
                .collect::<anyhow::Result<_>>()?,
            other => match scalar(other).filter(|_| takes_value) {
                Some(text) => vec![with(&text)],
                None => bail!(
                    "{}: `{name}` takes {}, not {}",
                    self.at(value.span()),
                    match (takes_value, is_list) {
                        (false, _) => "true or false",
                        (true, false) => "one value",
                        (true, true) => "a value or a list of them",
                    },
                    other.type_str()
                ),
            },
        };
        Ok(Setting { flag: name.to_owned(), line: self.line(key.span()), arguments })
    }
}

/// A value as it would be typed.
fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => match number.radix() {
            10 => Some(number.as_str().to_owned()),
            radix => {
                i64::from_str_radix(number.as_str(), radix).ok().map(|number| number.to_string())
            }
        },
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        _ => None,
    }
}

/// ` of whoasked read`, or of anything.
fn of(command: &Command) -> String {
    match command.get_name() {
        "whoasked" => " of any subcommand".to_owned(),
        name => format!(" of `{name}`"),
    }
}
