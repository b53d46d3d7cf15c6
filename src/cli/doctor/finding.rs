//! One thing that was looked at.

use std::fmt;

use headroom::redact;
use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    Ok,
    Note,
    Problem,
}

#[derive(Debug, Serialize)]
pub(super) struct Finding {
    pub(super) level: Level,
    pub(super) topic: &'static str,
    pub(super) said: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) remedy: Option<String>,
}

impl Finding {
    pub(super) fn ok(topic: &'static str, said: impl Into<String>) -> Self {
        Self { level: Level::Ok, topic, said: redact::text(&said.into()), remedy: None }
    }

    pub(super) fn note(topic: &'static str, said: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { level: Level::Note, remedy: Some(remedy.into()), ..Self::ok(topic, said) }
    }

    pub(super) fn problem(topic: &'static str, said: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { level: Level::Problem, remedy: Some(remedy.into()), ..Self::ok(topic, said) }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Ok => "ok",
            Level::Note => "note",
            Level::Problem => "problem",
        };
        write!(f, "{level:<8} {:<12} {}", self.topic, self.said)?;
        match &self.remedy {
            Some(remedy) => write!(f, "\n{:21} remedy: {remedy}", ""),
            None => Ok(()),
        }
    }
}
