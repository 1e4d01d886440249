//! stub
use crate::{
    flow::{Flow, Mac},
    frame::FrameId,
    time::Timestamp,
};
/// e
#[derive(Clone, Copy, Debug)]
pub struct Envelope {
    /// f
    pub frame: FrameId,
    /// f
    pub time: Timestamp,
    /// f
    pub flow: Flow,
    /// f
    pub source_mac: Mac,
    /// f
    pub destination_mac: Mac,
    /// f
    pub ip_id: u16,
    /// f
    pub hop_limit: u8,
    /// f
    pub vlan: Option<u16>,
}
/// p
#[derive(Clone, Debug)]
pub struct Ports(Vec<u16>);
impl Ports {
    /// n
    pub fn new(e: &[u16]) -> Ports {
        let mut v = vec![53];
        v.extend(e);
        Ports(v)
    }
    /// c
    pub fn contains(&self, p: u16) -> bool {
        self.0.contains(&p)
    }
}
