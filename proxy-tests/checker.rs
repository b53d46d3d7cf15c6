//! A checking model in a test's hands: it reads what it is sent and answers as it was told to behave.

use std::sync::{Arc, Mutex};

use headroom::fidelity::{self, Mode};
use serde_json::{Value, json};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
};

use crate::support::Conn;

/// How the model behaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Behaviour {
    /// Has no answer to any gap: nothing that the text doesn't have is found.
    Finds(&'static str),
    /// Fills every gap with the first figure of the text, which is another one than most gaps had.
    Contradicts,
    /// Gives this as its message, whatever was asked.
    Says(&'static str),
    /// Gives the text that it was sent as its message.
    Echoes,
    /// Sends this in place of a completion.
    Sends(&'static str),
    /// Sends more than any answer has.
    Floods,
    /// Answers with this status.
    Status(u16),
    /// Reads and never answers.
    Hangs,
}

/// A running model.
pub(crate) struct Checker {
    url: String,
    behaviour: Arc<Mutex<Behaviour>>,
    /// Heads and bodies of the requests that came.
    pub(crate) requests: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Checker {
    pub(crate) async fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let checker = Self {
            url: format!("http://{}/v1", listener.local_addr().unwrap()),
            behaviour: Arc::new(Mutex::new(behaviour)),
            requests: Arc::default(),
        };
        let (behaviour, requests) = (Arc::clone(&checker.behaviour), Arc::clone(&checker.requests));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&behaviour), Arc::clone(&requests)));
            }
        });
        checker
    }

    pub(crate) fn behave(&self, behaviour: Behaviour) {
        *self.behaviour.lock().unwrap() = behaviour;
    }

    pub(crate) fn calls(&self) -> usize {
        self.requests.lock().unwrap().len()
    }

    /// The settings that have it asked about everything.
    pub(crate) fn config(&self, mode: Mode) -> fidelity::Config {
        fidelity::Config {
            mode,
            base_url: self.url.clone(),
            model: "reader".to_owned(),
            timeout_ms: 20_000,
            inline_budget_ms: 20_000,
            questions: 64,
            concurrency: 8,
            ..fidelity::Config::default()
        }
    }
}

/// A text of which a telegram makes claims that stand in doubt: between a figure and what it counts so many words go
/// that code can't tell that they belong together.
pub(crate) fn doubtful_text() -> String {
    let topics = [
        "harbour", "library", "railway", "school", "market", "theatre", "bridge", "museum", "garden", "mill",
        "station", "quarry", "chapel", "foundry", "shipyard", "granary", "brewery", "armoury", "aqueduct", "orchard",
    ];
    let tell = |(index, topic): (usize, &&str)| {
        format!(
            "The {topic} was built with room for 1{index}5 and for us and for those who were there then and for all of you who \
             have been there with us and of this and of that and of it then and there and all in all for {a}70. The committee left. ",
            a = index + 2,
        )
    };
    topics.iter().enumerate().map(tell).collect::<String>().trim_end().to_owned()
}

async fn serve(stream: TcpStream, behaviour: Arc<Mutex<Behaviour>>, requests: Arc<Mutex<Vec<(String, Value)>>>) {
    let mut connection = Conn(stream);
    let request = connection.message().await;
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let behaviour = *behaviour.lock().unwrap();
    let prompt = body["messages"][1]["content"].as_str().unwrap().to_owned();
    let (text, sentences) = prompt.split_once("\n\nSentences:\n").unwrap();
    let all = |answer: &str| -> String {
        let gaps = sentences.lines().filter_map(|line| line.split_once(". "));
        let map: serde_json::Map<String, Value> = gaps.map(|(id, _)| (id.to_owned(), answer.into())).collect();
        Value::from(map).to_string()
    };
    requests.lock().unwrap().push((request.head, body.clone()));
    let (status, reply) = match behaviour {
        Behaviour::Hangs => std::future::pending().await,
        Behaviour::Status(status) => (status, String::new()),
        Behaviour::Sends(body) => (200, body.to_owned()),
        Behaviour::Floods => (200, completion(&"a".repeat(2 << 20))),
        Behaviour::Finds(answer) => (200, completion(&all(answer))),
        Behaviour::Says(message) => (200, completion(message)),
        Behaviour::Echoes => (200, completion(text)),
        Behaviour::Contradicts => {
            let text = text.split_once('\n').map_or(text, |(_, text)| text);
            let figure = text.split(|c: char| !c.is_ascii_digit()).find(|word| !word.is_empty());
            (200, completion(&all(figure.unwrap_or_default())))
        }
    };
    let length = reply.len();
    let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nLocation: /\r\nConnection: close\r\n\r\n");
    // Whoever has seen enough of a flood is gone.
    let _ = connection.0.write_all(format!("{head}{reply}").as_bytes()).await;
}

fn completion(content: &str) -> String {
    let usage = json!({"prompt_tokens": 200, "completion_tokens": 20});
    json!({"choices": [{"message": {"content": content}}], "usage": usage}).to_string()
}
