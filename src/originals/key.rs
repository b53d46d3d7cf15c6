//! The keys: one that names originals, and must stay what it is, and one that seals them.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

use ring::rand::{SecureRandom as _, SystemRandom};

use super::{
    OpenError,
    config::{Config, NO_STATE},
};
use crate::{compress::OriginalId, engine::Tenant, private, seal, setting::Invalid};

/// What tells the originals of tenants apart; it tells nothing of a credential.
pub(super) type Owner = [u8; 16];

/// Both keys.
#[derive(Clone)]
pub(super) struct Keys {
    names: [u8; 32],
    seals: [u8; 32],
}

impl Keys {
    /// Takes them from the variable that the configuration names. Without one, originals are sealed with a key of this
    /// process, and named by one that lies in the state folder: replicas that share the folder share the names.
    pub(super) fn open(
        config: &Config,
        state: Option<&Path>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, OpenError> {
        if let Some(name) = &config.key_env {
            let key = variable(name).filter(|key| key.trim().len() >= SHORTEST);
            let key = key.ok_or(Invalid::text("key_env", "set the variable that it names to 32 letters or more"))?;
            let of = |purpose| blake3::derive_key(purpose, key.trim().as_bytes());
            return Ok(Self { names: of(NAMES), seals: of(SEALS) });
        }
        let state = state.ok_or(Invalid::text("enabled", NO_STATE))?;
        let path = state.join("originals.key");
        let names = kept(&path).map_err(|error| OpenError::Key(path, error))?;
        let seals = fresh().map_err(|error| OpenError::Key(PathBuf::new(), error))?;
        Ok(Self { names: blake3::derive_key(NAMES, &names), seals })
    }

    /// The name of a tenant's text.
    pub(super) fn name(&self, tenant: Tenant, text: &str) -> OriginalId {
        let mut hash = blake3::Hasher::new_keyed(&self.names);
        hash.update(&tenant.0).update(text.as_bytes());
        let mut bits = [0; 8];
        hash.finalize_xof().fill(&mut bits);
        OriginalId::new(u64::from_le_bytes(bits))
    }

    /// Whose originals are a tenant's.
    pub(super) fn owner(&self, tenant: Tenant) -> Owner {
        let mut owner = Owner::default();
        blake3::Hasher::new_keyed(&self.seals).update(b"owner").update(&tenant.0).finalize_xof().fill(&mut owner);
        owner
    }

    /// A text, so that only who has the key can read it, as this owner's and of this name.
    pub(super) fn seal(&self, owner: Owner, id: OriginalId, text: &str) -> Option<Vec<u8>> {
        seal::seal(&self.of(owner), &bound_to(owner, id), text.as_bytes().to_vec())
    }

    /// The text again; `None` where another key sealed it, or not as this.
    pub(super) fn open_sealed(&self, owner: Owner, id: OriginalId, sealed: Vec<u8>) -> Option<String> {
        String::from_utf8(seal::open(&self.of(owner), &bound_to(owner, id), sealed)?).ok()
    }

    /// The key of one owner, so that what is sealed for one is nothing under another's.
    fn of(&self, owner: Owner) -> [u8; 32] {
        *blake3::Hasher::new_keyed(&self.seals).update(b"seal").update(&owner).finalize().as_bytes()
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys")
    }
}

fn bound_to(owner: Owner, id: OriginalId) -> [u8; 24] {
    let mut bound = [0; 24];
    let (of, named) = bound.split_at_mut(owner.len());
    of.copy_from_slice(&owner);
    named.copy_from_slice(&id.number().to_le_bytes());
    bound
}

fn fresh() -> io::Result<[u8; 32]> {
    let mut key = [0; 32];
    SystemRandom::new().fill(&mut key).map_err(|_| io::Error::other("the system gives no random bytes"))?;
    Ok(key)
}

/// The key in a file of the user's own, which is made where there is none. Of several processes that start at once, one
/// makes it.
fn kept(path: &Path) -> io::Result<[u8; 32]> {
    if let Some(key) = read(path)? {
        return Ok(key);
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    private::folder_of(path, false)?;
    let hex = blake3::Hash::from_bytes(fresh()?).to_hex();
    let mark = blake3::hash(hex.as_bytes()).to_hex();
    let own = folder.join(format!("originals.key.{mark}"));
    let made = private::options().write(true).create_new(true).open(&own).and_then(|mut file| {
        file.write_all(hex.as_bytes())?;
        file.sync_all()?;
        // Whoever comes second finds the name taken, and a whole file under it.
        match fs::hard_link(&own, path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    });
    let _ = fs::remove_file(&own);
    made?;
    read(path)?.ok_or_else(|| io::Error::other("it was taken away"))
}

fn read(path: &Path) -> io::Result<Option<[u8; 32]>> {
    match fs::read_to_string(path) {
        Ok(hex) => {
            let key = blake3::Hash::from_hex(hex.trim()).map_err(|_| io::Error::other("it holds no key"))?;
            Ok(Some(*key.as_bytes()))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

const NAMES: &str = "headroom names of originals, version 1";
const SEALS: &str = "headroom seals of originals, version 1";

/// Letters of a key at least: what is guessed opens every original.
const SHORTEST: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(folder: &Path) -> Keys {
        Keys::open(&Config { enabled: true, ..Config::default() }, Some(folder), |_| None).unwrap()
    }

    #[test]
    fn a_text_has_one_name_for_a_tenant_after_a_restart_too_and_another_for_another() {
        let folder = tempfile::tempdir().unwrap();
        let (one, again) = (keys(folder.path()), keys(folder.path()));
        let name = one.name(Tenant([1; 16]), "text");
        assert_eq!(again.name(Tenant([1; 16]), "text"), name);
        assert_ne!(one.name(Tenant([2; 16]), "text"), name);
        assert_ne!(one.name(Tenant([1; 16]), "texts"), name);
        let elsewhere = tempfile::tempdir().unwrap();
        assert_ne!(keys(elsewhere.path()).name(Tenant([1; 16]), "text"), name, "nobody without the key can name it");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing lies about");
    }

    #[test]
    fn with_a_configured_key_replicas_agree_without_a_shared_folder() {
        let config = Config { enabled: true, key_env: Some("KEY".into()), ..Config::default() };
        let open = |key: &'static str| Keys::open(&config, None, move |_| Some(key.to_owned()));
        let (one, other) =
            (open("a key of more than thirty-two letters").unwrap(), open("another one, of thirty-two or more"));
        let again = open("a key of more than thirty-two letters\n").unwrap();
        let name = one.name(Tenant([1; 16]), "text");
        assert_eq!(again.name(Tenant([1; 16]), "text"), name);
        assert_ne!(other.unwrap().name(Tenant([1; 16]), "text"), name);
        assert!(open("short").is_err() && Keys::open(&config, None, |_| None).is_err());
    }

    #[test]
    fn what_is_sealed_is_opened_by_its_key_its_owner_and_its_name_alone() {
        let folder = tempfile::tempdir().unwrap();
        let keys = keys(folder.path());
        let (owner, id) = (keys.owner(Tenant([1; 16])), OriginalId::new(7));
        let sealed = keys.seal(owner, id, "a secret text").unwrap();
        assert!(!sealed.windows(6).any(|window| window == b"secret"));
        assert_eq!(keys.open_sealed(owner, id, sealed.clone()).as_deref(), Some("a secret text"));
        assert_eq!(keys.open_sealed(keys.owner(Tenant([2; 16])), id, sealed.clone()), None);
        assert_eq!(keys.open_sealed(owner, OriginalId::new(8), sealed.clone()), None);
        let later = Keys::open(&Config::default(), Some(folder.path()), |_| None).unwrap();
        assert_eq!(later.open_sealed(owner, id, sealed.clone()), None, "another process has another key");
        for at in 0..sealed.len() {
            let mut other = sealed.clone();
            other[at] ^= 1;
            assert_eq!(keys.open_sealed(owner, id, other), None);
        }
        assert_eq!(keys.open_sealed(owner, id, Vec::new()), None);
    }

    #[test]
    fn of_processes_that_start_at_once_one_makes_the_key() {
        let folder = tempfile::tempdir().unwrap();
        let names: Vec<OriginalId> = std::thread::scope(|scope| {
            let start = || scope.spawn(|| keys(&folder.path().join("state")).name(Tenant([1; 16]), "text"));
            let started: Vec<_> = (0..8).map(|_| start()).collect();
            started.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(names.windows(2).all(|pair| pair[0] == pair[1]));
    }
}
