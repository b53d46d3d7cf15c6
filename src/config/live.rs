//! Which settings can change while the program runs, and what has changed between two configurations.

use serde_json::Value;

use super::Config;

impl Config {
    /// This configuration with what can change at run time as in `other`.
    #[must_use]
    pub fn with_live_of(&self, other: &Self) -> Self {
        let mut config = self.clone();
        config.profile = other.profile;
        config.rules.clone_from(&other.rules);
        config.upstream.clone_from(&other.upstream);
        config.upstreams.clone_from(&other.upstreams);
        config.access.clone_from(&other.access);
        config.compress.clone_from(&other.compress);
        // The account of what is held was opened by it.
        let held_bodies_mib = config.proxy.held_bodies_mib;
        config.proxy = crate::proxy::Config { held_bodies_mib, ..other.proxy.clone() };
        config
    }

    /// The keys whose values differ, with their sections.
    #[must_use]
    pub fn changed(&self, other: &Self) -> Vec<String> {
        let mut keys = Vec::new();
        let values = serde_json::to_value(self).and_then(|own| serde_json::to_value(other).map(|other| (own, other)));
        if let Ok((own, other)) = values {
            differences(&own, &other, "", &mut keys);
        }
        keys
    }
}

fn differences(own: &Value, other: &Value, prefix: &str, keys: &mut Vec<String>) {
    let (Value::Object(own), Value::Object(other)) = (own, other) else { return };
    for (name, value) in own {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match (value, other.get(name)) {
            (Value::Object(_), Some(other @ Value::Object(_))) => differences(value, other, &key, keys),
            (_, other) if other != Some(value) => keys.push(key),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_changed_is_named_and_what_can_change_at_run_time_does() {
        let started = Config::default();
        let mut wanted = Config::default();
        wanted.compress.min_tokens = 99;
        wanted.upstream.url = "http://h".into();
        wanted.rules.push(crate::proxy::rules::Rule::default());
        wanted.proxy.held_bodies_mib = 1000;
        wanted.engine.workers = 3;
        let running = started.with_live_of(&wanted);
        assert_eq!(started.changed(&running), ["upstream.url", "compress.min_tokens", "rules"]);
        assert_eq!(running.changed(&wanted), ["proxy.held_bodies_mib", "engine.workers"]);
        assert!(running.changed(&running).is_empty());
    }
}
