use super::*;

fn open(config: Config, state: &Path) -> Arc<Originals> {
    let config = Config { enabled: true, ..config };
    Originals::open(&config, Some(state), |_| Some("a key of more than thirty-two letters".to_owned()))
        .unwrap()
        .unwrap()
}

const ALICE: Tenant = Tenant([1; 16]);
const BOB: Tenant = Tenant([2; 16]);

fn keep(originals: &Originals, tenant: Tenant, text: &str) -> OriginalId {
    let id = originals.name(tenant, text);
    originals.keep(tenant, [(id, text)].into_iter());
    id
}

#[tokio::test]
async fn an_original_is_read_by_its_tenant_and_the_operator_alone() {
    let folder = tempfile::tempdir().unwrap();
    let originals = open(Config::default(), folder.path());
    let id = keep(&originals, ALICE, "alice's text");
    let find = |reader| originals.find(reader, id);
    assert_eq!(find(Reader::With(ALICE)).await.as_deref(), Some("alice's text"));
    assert_eq!(find(Reader::Operator).await.as_deref(), Some("alice's text"));
    assert_eq!(find(Reader::With(BOB)).await, None);
    assert_eq!(originals.find(Reader::With(ALICE), OriginalId::new(id.number() ^ 1)).await, None);
}

#[tokio::test]
async fn originals_outlive_the_process_only_if_asked_to_and_names_always_do() {
    for persist in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let config = Config { persist, key_env: persist.then(|| "KEY".to_owned()), ..Config::default() };
        let first = open(config.clone(), folder.path());
        let id = keep(&first, ALICE, "a text of some length");
        first.flush();
        drop(first);
        let later = open(config, folder.path());
        assert_eq!(later.name(ALICE, "a text of some length"), id);
        assert_eq!(later.find(Reader::With(ALICE), id).await.is_some(), persist);
        later.flush();
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            assert!(!bytes.windows(9).any(|window| window == b"some leng"), "nothing lies in the clear");
        }
    }
}

#[tokio::test]
async fn what_is_evicted_is_kept_again_when_it_is_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let originals = open(Config { mib: 1, tenant_mib: 1, ..Config::default() }, folder.path());
    let texts: Vec<String> = (0..5).map(|at| format!("{at}").repeat(300 << 10)).collect();
    let ids: Vec<OriginalId> = texts.iter().map(|text| keep(&originals, ALICE, text)).collect();
    originals.flush();
    assert!(originals.sizes().bytes <= 1 << 20);
    assert_eq!(originals.find(Reader::With(ALICE), ids[0]).await, None);
    assert!(originals.find(Reader::With(ALICE), ids[4]).await.is_some());
    assert_eq!(keep(&originals, ALICE, &texts[0]), ids[0]);
    assert!(originals.find(Reader::With(ALICE), ids[0]).await.is_some());
    assert_eq!(originals.sizes().lost, 0);
}

#[test]
fn a_setting_that_would_break_its_promise_stops_the_start() {
    let persist = Config { enabled: true, persist: true, ..Config::default() };
    assert_eq!(persist.check().unwrap_err().key, "persist");
    let on = Config { enabled: true, ..Config::default() };
    assert!(Originals::open(&on, None, |_| None).is_err(), "names would change with each start");
    assert!(Originals::open(&Config::default(), None, |_| None).unwrap().is_none());
}
