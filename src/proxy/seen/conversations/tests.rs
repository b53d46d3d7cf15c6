//! What is kept is found again, by whom it belongs to, and goes.

use super::*;

fn texts(count: usize) -> Vec<String> {
    let line = |text: usize, at: usize| format!("line {at} of the text {text} says something of its own\n");
    (0..count).map(|text| (0..40).map(|at| line(text % 3, at)).collect()).collect()
}

fn named(texts: &[&str]) -> Vec<(TextHash, bool)> {
    texts.iter().map(|text| (*blake3::hash(text.as_bytes()).as_bytes(), true)).collect()
}

fn tenant(of: u8) -> Tenant {
    Tenant([of; 16])
}

fn keep(conversations: &Conversations, of: u8, name: TextHash, passages: Passages) {
    conversations.keep(tenant(of), Texts { name, ..Texts::default() }, (None, passages), &[], Instant::now());
}

#[test]
fn a_conversation_goes_on_from_its_last_turn_and_finds_what_it_would_find_anew() {
    let (conversations, texts) = (Conversations::default(), texts(9));
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let referred = |passages: &Passages| -> Vec<Vec<usize>> {
        (0..texts.len()).map(|text| passages.referred(text).collect()).collect()
    };
    let mut last = None;
    for end in 2..=texts.len() {
        let (texts, named) = (&texts[..end], named(&texts[..end]));
        // By its bytes an earlier turn may be known, or not.
        let earlier = last.as_ref().filter(|_| end % 2 == 0).map(|name| (name, end - 1));
        let (name, known, instead) = conversations.compared(tenant(1), &named, earlier);
        assert_eq!((known.is_empty(), instead), (end == 2, last.into_iter().collect()));
        assert!(conversations.compared(tenant(1), &named, None).1.is_empty(), "who takes it has it alone");
        let passages = known.and(texts);
        assert_eq!(referred(&passages), referred(&Passages::of(texts)));
        keep(&conversations, 1, name, passages);
        assert!(conversations.compared(tenant(2), &named, None).1.is_empty(), "it is another tenant's");
        last = Some(name);
    }
}

#[test]
fn who_has_most_loses_what_was_not_asked_for_longest() {
    let (conversations, texts) = (Conversations::default(), texts(400));
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let count = u8::try_from(MOST / Passages::of(&texts).weight() + 2).unwrap();
    let name = |of: u8, at: u8| [[of; 16], [at; 16]].concat().try_into().unwrap();
    keep(&conversations, 1, name(1, 0), Passages::of(&texts));
    (0..count).for_each(|at| keep(&conversations, 2, name(2, at), Passages::of(&texts)));
    assert!(conversations.kept().bytes <= MOST);
    let is_known = |of, at| !conversations.take(&name(of, at)).is_empty();
    assert!(is_known(1, 0) && !is_known(2, 0) && is_known(2, count - 1));
}

fn body(count: usize) -> Bytes {
    let said: Vec<String> =
        (0..count).map(|at| format!(r#"{{"role":"user","content":"{at} {}"}}"#, "some text ".repeat(500))).collect();
    format!(r#"{{"messages":[{}],"stream":true}}"#, said.join(",")).into()
}

#[test]
fn a_body_is_known_by_its_beginning_to_its_tenant_alone() {
    let conversations = Conversations::default();
    let turn = |count| {
        let body = body(count);
        let begun = conversations.begun(tenant(1), Surface::Messages, &body, Instant::now());
        let bytes = begun.as_ref().map_or(0, Begun::bytes);
        let found = Locate::Of(Surface::Messages).find(&body, begun).unwrap();
        assert_eq!(Ok(&found.located), wire::locate(Surface::Messages, &body).as_ref());
        let name = [u8::try_from(count).unwrap(); 32];
        let instead: Vec<TextHash> = found.known.iter().map(|(read, _)| read.texts.name).collect();
        let texts = Texts { name, ..Texts::default() };
        conversations.keep(tenant(1), texts, (found.beginning, Passages::default()), &instead, Instant::now());
        bytes
    };
    assert_eq!(turn(5), 0);
    assert!((25_000..body(5).len()).contains(&turn(6)));
    assert!(turn(6) > 30_000);
    assert!(turn(4) > 20_000);
    assert_eq!(conversations.kept().conversations.len(), 1, "each stands instead of the one before");
    let others = (tenant(2), Surface::Messages);
    for (tenant, surface) in [others, (tenant(1), Surface::Responses)] {
        assert!(conversations.begun(tenant, surface, &body(4), Instant::now()).is_none());
    }
    let known = |count, after| {
        let now = Instant::now() + after;
        conversations.begun(tenant(1), Surface::Messages, &body(count), now).is_some()
    };
    assert!(!known(20, Duration::ZERO), "less than half of it");
    assert!(known(4, IDLE / 2) && !known(4, IDLE * 2), "nothing is kept for ever");
    let kept = conversations.kept();
    assert_eq!((kept.bytes, kept.tenants.len()), (0, 0));
}
