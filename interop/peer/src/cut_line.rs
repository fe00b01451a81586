//! A view change as one line, in the words and the order of `blip agent`.
use base64::{prelude::BASE64_STANDARD, Engine};
use blip::{Member, MultiNodeCut};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    time::{SystemTime, UNIX_EPOCH},
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CutLine {
    event: &'static str,
    time: u64,
    /// Decimal text, since a JSON number holds no more than 53 bits for most readers.
    conf_id: String,
    local: String,
    degraded: bool,
    skipped: u64,
    members: Vec<MemberEntry>,
    joined: Vec<String>,
    kicked: Vec<String>,
}

#[derive(Serialize)]
struct MemberEntry {
    address: String,
    tls: bool,
    metadata: BTreeMap<String, MetadataValue>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum MetadataValue {
    Text(String),
    Bytes { base64: String },
}

impl CutLine {
    pub fn new(cut: &MultiNodeCut, skipped: u64) -> Self {
        Self {
            event: "cut",
            time: unix_millis(),
            conf_id: cut.conf_id().to_string(),
            local: cut.local_addr().to_string(),
            degraded: cut.is_degraded(),
            skipped,
            members: cut.members().iter().map(MemberEntry::from).collect(),
            joined: addresses(cut.joined()),
            kicked: addresses(cut.kicked()),
        }
    }

    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a cut has no value that JSON lacks")
    }

    pub fn to_text(&self) -> String {
        format!(
            "{} {} of {} members{}, joined [{}], kicked [{}]",
            self.conf_id,
            self.local,
            self.members.len(),
            if self.degraded { ", degraded" } else { "" },
            self.joined.join(" "),
            self.kicked.join(" "),
        )
    }
}

impl From<&Member> for MemberEntry {
    fn from(member: &Member) -> Self {
        let metadata = (member.metadata().iter())
            .map(|(key, value)| (key.clone(), MetadataValue::from(value.as_slice())))
            .collect();

        Self {
            address: member.addr().to_string(),
            tls: member.tls_config().is_some(),
            metadata,
        }
    }
}

impl From<&[u8]> for MetadataValue {
    fn from(value: &[u8]) -> Self {
        match std::str::from_utf8(value) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Bytes {
                base64: BASE64_STANDARD.encode(value),
            },
        }
    }
}

fn addresses(members: &[Member]) -> Vec<String> {
    members.iter().map(|m| m.addr().to_string()).collect()
}

pub fn unix_millis() -> u64 {
    (SystemTime::now().duration_since(UNIX_EPOCH))
        .map(|since| since.as_millis() as u64)
        .unwrap_or(0)
}
