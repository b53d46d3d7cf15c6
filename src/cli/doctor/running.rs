//! The proxy itself: does it run, is it ready, does it condense, and may it remember and explain?

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use headroom::{config::Loaded, explain::ReaderKey, redact};
use serde_json::{Value, json};

use super::{
    super::{
        endpoint::{Endpoint, Found},
        exchange::{self, Request},
        serve::state,
        settings::{in_words, load_model},
    },
    finding::Finding,
};

pub(super) fn findings(loaded: &Loaded, proxy: &Endpoint, found: &Found) -> Vec<Finding> {
    let mut findings = match found {
        Found::Ours => {
            let mut findings = vec![Finding::ok("proxy", format!("runs at {proxy}"))];
            findings.extend(proxy.speaks_tls().then(|| certificate(proxy)));
            findings.extend([ready(proxy), condenses(proxy)]);
            findings
        }
        Found::Nobody => {
            let remedy = "start it by `headroom`, run one program through one by `headroom wrap PROGRAM`, or say where it \
                          runs by --listen";
            vec![Finding::problem("proxy", format!("none runs at {proxy}"), remedy), model(loaded)]
        }
        Found::Secure => {
            let said =
                format!("the one on {} speaks TLS, and the configuration here names no certificate", proxy.address());
            let remedy = "name its configuration by --config, or `server.tls.certificate_file` in the one that is read";
            vec![Finding::problem("proxy", said, remedy), model(loaded)]
        }
        Found::Other(why) => {
            let remedy = "stop that program, or start the proxy on another port by --port and name it here by --listen";
            let said = match proxy.speaks_tls() {
                true => format!("what answers at {proxy} cannot be asked: {why}"),
                false => format!("another program answers at {proxy}, and it is no headroom proxy"),
            };
            vec![Finding::problem("proxy", said, remedy), model(loaded)]
        }
    };
    findings.push(remembers(loaded));
    if *found == Found::Ours {
        findings.push(explains(loaded, proxy));
    }
    findings
}

/// Whether programs here would speak with a proxy that shows its certificate.
fn certificate(proxy: &Endpoint) -> Finding {
    if let Some(trusted) = proxy.trusted() {
        return Finding::ok("certificate", format!("is trusted here for {}", trusted.host()));
    }
    let said = format!("this machine does not trust it for {}", proxy.host());
    let remedy = "use a name that it is for, and name the certificate of who issued it by SSL_CERT_FILE (and \
                  NODE_EXTRA_CA_CERTS); `headroom wrap` starts a proxy of its own";
    Finding::note("certificate", said, remedy)
}

fn ready(proxy: &Endpoint) -> Finding {
    match exchange::page(proxy, "ready") {
        Ok(answer) if answer.status == 200 => Finding::ok("model", "model and encoding are loaded"),
        Ok(answer) => {
            let page: Value = serde_json::from_str(&answer.body).unwrap_or_default();
            let reason = page.get("reason").and_then(Value::as_str).unwrap_or("it does not say why");
            Finding::problem(
                "model",
                format!("not ready: {reason}"),
                "look into the proxy's log; `headroom model info` tries the model here",
            )
        }
        Err(error) => Finding::problem("model", error.to_string(), "look into the proxy's log"),
    }
}

/// Where no proxy runs: whether one could load its model, and ONNX Runtime with it.
fn model(loaded: &Loaded) -> Finding {
    match load_model(&loaded.config.model) {
        Ok(Some(model)) => Finding::ok("model", format!("{} and ONNX Runtime can be loaded", in_words(model.info()))),
        Ok(None) => Finding::note(
            "model",
            "none is wanted; selection alone condenses",
            "leave --no-model and `model.enabled = false` out to have one",
        ),
        Err(error) => {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
            let said = format!("the model cannot be loaded{cause}");
            Finding::problem("model", said, "`headroom model info` says more; --no-model does without")
        }
    }
}

/// Has a text condensed, the way that it is in requests. Nothing is forwarded.
fn condenses(proxy: &Endpoint) -> Finding {
    let body = json!({"text": SAMPLE, "ratio": 5}).to_string();
    let request = Request { path: "/headroom/compress", headers: &[], body: Some(&body), patience: PATIENCE };
    let answer = match request.send(proxy) {
        Ok(answer) if answer.status == 200 => answer,
        Ok(answer) => {
            let said = format!("a sample is refused with {}", answer.status);
            return Finding::problem("condensing", said, "look into the proxy's log");
        }
        Err(error) => return Finding::problem("condensing", format!("a sample: {error}"), "look into the proxy's log"),
    };
    let page: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let figure = |name: &str| page.get(name).and_then(Value::as_u64).unwrap_or_default();
    let (before, after, ms) = (figure("tokens_before"), figure("tokens_after"), figure("ms"));
    match page.get("reason").and_then(Value::as_str) {
        None => Finding::ok("condensing", format!("a sample of {before} tokens became {after} at ratio 5 in {ms} ms")),
        Some(reason) => {
            let remedy =
                "`deadline` and `overloaded` are want of time: raise `engine.time_budget_ms` or give it more cores";
            Finding::problem("condensing", format!("a sample at ratio 5 stays as it is: {reason}"), remedy)
        }
    }
}

/// Whether what is chosen today is chosen tomorrow.
fn remembers(loaded: &Loaded) -> Finding {
    let remedy = "set `engine.decisions_file`, or HOME or XDG_STATE_HOME: prompt caches stay valid across restarts";
    let file = match loaded.config.engine.decisions_file.as_str() {
        "" | "off" => return Finding::note("decisions", "are not kept past the end of the process", remedy),
        "auto" => match state() {
            Some(state) => state.join("decisions"),
            None => return Finding::note("decisions", "have no folder to be kept in", remedy),
        },
        named => PathBuf::from(named),
    };
    let shown = redact::path(&file);
    if writable(&file) {
        return Finding::ok("decisions", format!("are kept in {shown}"));
    }
    let said = format!("cannot be kept in {shown}: this user may not write there");
    Finding::problem(
        "decisions",
        said,
        "give it to the user who runs the proxy, or name another file by `engine.decisions_file`",
    )
}

/// Whether a file could be written, or made with the folders that are wanting. Nothing is.
fn writable(file: &Path) -> bool {
    let there = file.ancestors().find(|path| path.exists()).unwrap_or(Path::new("."));
    let place = if there.as_os_str().is_empty() { Path::new(".") } else { there };
    if place != file && !place.is_dir() {
        return false;
    }
    #[cfg(unix)]
    return rustix::fs::access(place, rustix::fs::Access::WRITE_OK).is_ok();
    #[cfg(not(unix))]
    return place.metadata().is_ok_and(|known| !known.permissions().readonly());
}

fn explains(loaded: &Loaded, proxy: &Endpoint) -> Finding {
    let config = &loaded.config.explain;
    if !config.keeps(loaded.config.server.listen.ip()) {
        let remedy = "`explain.mode = \"on\"` keeps message text in memory for `headroom explain`";
        return Finding::note("explain", "no message text is kept, so requests cannot be explained", remedy);
    }
    let seconds = config.keep_s;
    let key = state().and_then(|state| ReaderKey::read(&state, proxy.address().port()));
    match key {
        Some(_) => Finding::ok("explain", format!("`headroom explain` reads requests of the last {seconds} s")),
        None => {
            let remedy =
                "run it as the user who runs the proxy, or name the variable with a request's key by --key-env";
            Finding::note(
                "explain",
                format!("requests of the last {seconds} s are kept, but this user has no key to them"),
                remedy,
            )
        }
    }
}

/// What `headroom demo` sends.
const SAMPLE: &str = include_str!("../../../fixtures/demo/service-agreement.md");

/// How long the sample may take.
const PATIENCE: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_there_can_be_written_where_its_folder_can() {
        let folder = tempfile::tempdir().unwrap();
        assert!(writable(&folder.path().join("a/b/decisions")));
        assert!(!folder.path().join("a").exists());
        std::fs::write(folder.path().join("file"), "").unwrap();
        assert!(!writable(&folder.path().join("file/decisions")));
    }
}
