//! The process's account of the memory that bodies take: as they come, decoded, and read. Whatever grows asks here first,
//! and what is not granted is not built: the body then goes on as it came.
//!
//! Room is for bodies that move. Those still coming share a part of it, so that what has come can always be read; and one
//! that trickles gives way to one that does not. Room is shared between tenants by dynamic thresholds (Choudhury and Hahne,
//! IEEE/ACM Transactions on Networking 6(2), 1998): each may hold some times what is free, so that a single one has most of
//! it and one more always finds some.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::{sync::Notify, time::timeout};

use crate::engine::Tenant;

/// The account, as a tenant asks it.
#[derive(Debug, Clone)]
pub(crate) struct Room {
    books: Arc<Books>,
    tenant: Tenant,
}

#[derive(Debug)]
struct Books {
    state: Mutex<State>,
    /// Some room was given back.
    freed: Notify,
    most: usize,
    /// For bodies that are still coming.
    most_coming: usize,
    /// Of one body; a tenant may always hold that much, where there is room.
    longest: usize,
}

#[derive(Debug, Default)]
struct State {
    all: Taken,
    /// Those that hold something.
    tenants: HashMap<Tenant, Taken>,
    bodies: BTreeMap<u64, Pace>,
    next: u64,
}

/// Bytes that are held, and those of them that belong to bodies that are still coming.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Taken {
    held: usize,
    coming: usize,
}

impl Taken {
    fn change(&mut self, more: usize, less: usize, coming: bool) {
        self.held = self.held + more - less;
        if coming {
            self.coming = self.coming + more - less;
        }
    }
}

impl Books {
    fn grants(&self, state: &State, tenant: Tenant, more: usize, coming: bool) -> bool {
        let (all, own) = (state.all, state.tenants.get(&tenant).copied().unwrap_or_default());
        let fits = |all: usize, own: usize, most: usize| {
            let free = all.checked_add(more).and_then(|all| most.checked_sub(all));
            free.is_some_and(|free| own + more <= free.saturating_mul(OF_FREE).max(self.longest))
        };
        more == 0
            || (fits(all.held, own.held, self.most) && (!coming || fits(all.coming, own.coming, self.most_coming)))
    }
}

impl State {
    fn change(&mut self, tenant: Tenant, more: usize, less: usize, coming: bool) {
        self.all.change(more, less, coming);
        let own = self.tenants.entry(tenant).or_default();
        own.change(more, less, coming);
        if *own == Taken::default() {
            self.tenants.remove(&tenant);
        }
    }

    fn arrived(&mut self, tenant: Tenant, bytes: usize) {
        self.all.coming -= bytes;
        if let Some(own) = self.tenants.get_mut(&tenant) {
            own.coming -= bytes;
        }
    }
}

/// A tenant holds at most this many times what is free: one alone three quarters, two of them three sevenths each.
const OF_FREE: usize = 3;

impl Room {
    /// Room for this many bytes, of which bodies that are still coming take three quarters, but `longest` at least.
    pub(crate) fn new(most: usize, longest: usize) -> Self {
        let most_coming = (most / 4 * 3).max(longest).min(most);
        let books = Books { state: Mutex::default(), freed: Notify::new(), most, most_coming, longest };
        Self { books: Arc::new(books), tenant: Tenant::default() }
    }

    /// The same account, as this tenant asks it.
    pub(crate) fn of(&self, tenant: Tenant) -> Self {
        Self { books: Arc::clone(&self.books), tenant }
    }

    pub(crate) const fn tenant(&self) -> Tenant {
        self.tenant
    }

    /// No room yet, to be enlarged.
    pub(crate) fn share(&self) -> Share {
        Share { room: self.clone(), bytes: 0, coming: false }
    }

    /// Bytes that are accounted for now.
    pub(crate) fn held(&self) -> usize {
        self.state().all.held
    }

    /// A body begins to come.
    pub(crate) fn begin(&self, now: Instant) -> Coming {
        let give_way = Arc::new(Notify::new());
        let mut state = self.state();
        state.next += 1;
        let id = state.next;
        let tenant = self.tenant;
        state.bodies.insert(id, Pace { tenant, rate: 0.0, at: now, give_way: Arc::clone(&give_way), told: false });
        Coming { id, share: Share { room: self.clone(), bytes: 0, coming: true }, give_way }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.books.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one body takes; given back when this goes.
#[derive(Debug)]
pub(crate) struct Share {
    room: Room,
    bytes: usize,
    coming: bool,
}

impl Share {
    pub(crate) const fn room(&self) -> &Room {
        &self.room
    }

    /// Makes it large enough for `bytes`, if there is room.
    pub(crate) fn grow_to(&mut self, bytes: usize) -> bool {
        let more = bytes.saturating_sub(self.bytes);
        let Room { books, tenant } = &self.room;
        let mut state = self.room.state();
        let granted = books.grants(&state, *tenant, more, self.coming);
        if granted {
            state.change(*tenant, more, 0, self.coming);
            self.bytes += more;
        }
        granted
    }

    /// Gives back what is more than `bytes`.
    pub(crate) fn shrink_to(&mut self, bytes: usize) {
        self.set(bytes.min(self.bytes));
    }

    /// The same bytes, which keep their room until the last of them was sent. What they are made of was accounted for, so
    /// this is never refused.
    pub(crate) fn keep(mut self, bytes: Bytes) -> Bytes {
        self.set(bytes.len());
        self.hold(bytes)
    }

    /// The same bytes; whoever holds any of them holds the room.
    pub(crate) fn hold(mut self, bytes: Bytes) -> Bytes {
        self.arrived();
        if bytes.is_empty() { bytes } else { Bytes::from_owner(Kept { bytes, _share: self }) }
    }

    /// The body is no longer coming.
    fn arrived(&mut self) {
        if std::mem::take(&mut self.coming) {
            self.room.state().arrived(self.room.tenant, self.bytes);
        }
    }

    fn set(&mut self, bytes: usize) {
        let (more, less) = (bytes.saturating_sub(self.bytes), self.bytes.saturating_sub(bytes));
        self.room.state().change(self.room.tenant, more, less, self.coming);
        self.bytes = bytes;
        if less > 0 {
            self.room.books.freed.notify_waiters();
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.set(0);
    }
}

struct Kept {
    bytes: Bytes,
    _share: Share,
}

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// A body that is still coming.
#[derive(Debug)]
pub(crate) struct Coming {
    id: u64,
    share: Share,
    give_way: Arc<Notify>,
}

impl Coming {
    /// So many bytes more came.
    pub(crate) fn moved(&self, bytes: usize, now: Instant) {
        if let Some(pace) = self.share.room.state().bodies.get_mut(&self.id) {
            pace.add(bytes, now);
        }
    }

    /// Makes room for `bytes` of it, where need be by having slower ones give way.
    pub(crate) async fn make_room(&mut self, bytes: usize) -> bool {
        let room = self.share.room.clone();
        let until = tokio::time::Instant::now() + PATIENCE;
        loop {
            let freed = room.books.freed.notified();
            tokio::pin!(freed);
            // From here on what is given back is heard of.
            freed.as_mut().enable();
            if self.share.grow_to(bytes) {
                return true;
            }
            let waits = self.tell_a_slower_one(Instant::now());
            let left = until.saturating_duration_since(tokio::time::Instant::now());
            if !waits || timeout(left, freed).await.is_err() {
                return false;
            }
        }
    }

    /// Notified when the body has to give way.
    pub(crate) fn give_way(&self) -> Arc<Notify> {
        Arc::clone(&self.give_way)
    }

    /// It has come, or goes on without being looked at; the room stays with its bytes.
    pub(crate) fn arrived(mut self) -> Share {
        let mut share = Share { room: self.share.room.clone(), bytes: 0, coming: false };
        std::mem::swap(&mut share, &mut self.share);
        share.arrived();
        share
    }

    /// Tells the slowest of the bodies that are well below this one's pace; whether there is one that was told. A tenant's
    /// bodies don't give way to those of one that holds more.
    fn tell_a_slower_one(&self, now: Instant) -> bool {
        let mut state = self.share.room.state();
        let Some(own) = state.bodies.get(&self.id).map(|pace| pace.rate(now)) else { return false };
        let State { tenants, bodies, .. } = &mut *state;
        let coming = |tenant: &Tenant| tenants.get(tenant).map_or(0, |taken| taken.coming);
        let (tenant, most) = (self.share.room.tenant, coming(&self.share.room.tenant));
        let yields = |pace: &Pace| pace.tenant == tenant || coming(&pace.tenant) >= most;
        let told = bodies.iter().any(|(id, pace)| *id != self.id && pace.told);
        let slower = bodies.iter_mut().filter(|(id, pace)| **id != self.id && !pace.told && yields(pace));
        let slowest = slower.map(|(_, pace)| pace).min_by(|a, b| a.rate(now).total_cmp(&b.rate(now)));
        match slowest.filter(|pace| pace.rate(now) * MUCH < own) {
            Some(pace) => {
                pace.told = true;
                pace.give_way.notify_one();
                true
            }
            None => told,
        }
    }
}

impl Drop for Coming {
    fn drop(&mut self) {
        self.share.room.state().bodies.remove(&self.id);
    }
}

/// How fast a body comes: bytes a second, of which those of the last second count most.
#[derive(Debug)]
struct Pace {
    tenant: Tenant,
    rate: f64,
    at: Instant,
    give_way: Arc<Notify>,
    told: bool,
}

impl Pace {
    fn add(&mut self, bytes: usize, now: Instant) {
        self.rate = self.rate(now) + bytes as f64 / WINDOW.as_secs_f64();
        self.at = now;
    }

    fn rate(&self, now: Instant) -> f64 {
        let since = now.saturating_duration_since(self.at).as_secs_f64();
        self.rate * (-since / WINDOW.as_secs_f64()).exp()
    }
}

/// What came before counts less by a factor of e for each of these.
const WINDOW: Duration = Duration::from_secs(1);

/// A body gives way to one that comes this many times faster.
const MUCH: f64 = 4.0;

/// How long a body waits for those that were told to give way: what they hold goes to the upstream at once.
const PATIENCE: Duration = Duration::from_millis(300);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_granted_than_there_is_and_all_of_it_comes_back() {
        let room = Room::new(100, 100);
        let (mut one, mut two) = (room.share(), room.share());
        assert!(one.grow_to(60) && one.grow_to(50) && two.grow_to(40));
        assert!(!two.grow_to(41) && room.held() == 100);
        one.shrink_to(20);
        assert!(two.grow_to(80) && !two.grow_to(usize::MAX));
        let kept = two.keep(Bytes::from_static(b"0123456789"));
        drop(one);
        assert_eq!(room.held(), 10);
        let part = kept.slice(3..4);
        drop(kept);
        assert_eq!(room.held(), 10, "a part holds the room of the whole");
        drop(part);
        assert!(room.held() == 0 && room.state().tenants.is_empty());
    }

    #[test]
    fn bodies_that_are_coming_leave_room_for_those_that_have_come() {
        let room = Room::new(1600, 10);
        let now = Instant::now();
        let mut coming = room.begin(now);
        assert!(!coming.share.grow_to(901) && coming.share.grow_to(900), "three quarters of three quarters");
        let mut read = room.share();
        assert!(read.grow_to(300) && !read.grow_to(301), "three quarters of all");
        let share = coming.arrived();
        assert!(room.begin(now).share.coming && room.state().all.coming == 0);
        drop((share, read));
        assert_eq!((room.held(), room.state().bodies.len()), (0, 0));
    }

    #[test]
    fn however_much_others_hold_a_tenant_finds_room() {
        let room = Room::new(16_000, 1);
        let mut shares = Vec::new();
        for tenant in 0..4 {
            let mut share = room.of(Tenant([tenant; 16])).share();
            let most = (0..=16_000).rev().find(|bytes| share.grow_to(*bytes)).unwrap();
            shares.push((most, share));
        }
        let granted: Vec<usize> = shares.iter().map(|(most, _)| *most).collect();
        assert_eq!(granted, [12_000, 3_000, 750, 187]);
        // What is given back goes to those who hold less.
        shares.remove(1);
        let [(_, first), (_, second), (_, third)] = shares.as_mut_slice() else { panic!() };
        assert!(!first.grow_to(12_001) && second.grow_to(1_000) && third.grow_to(1_000));
    }

    #[test]
    fn the_longest_body_fits_if_there_is_room_at_all() {
        let room = Room::new(100, 80);
        let mut one = room.share();
        assert!(one.grow_to(80) && !one.grow_to(81));
        assert!(!room.of(Tenant([1; 16])).share().grow_to(21) && room.of(Tenant([1; 16])).share().grow_to(20));
    }

    #[tokio::test]
    async fn a_body_that_trickles_gives_way_to_one_that_moves() {
        let room = Room::new(1000, 1000);
        let start = Instant::now() - Duration::from_secs(60);
        let mut slow = room.begin(start);
        assert!(slow.share.grow_to(1000));
        slow.moved(1000, start);
        let mut fast = room.begin(Instant::now());
        fast.moved(500, Instant::now());
        let give_way = slow.give_way();
        let gives_way = async {
            give_way.notified().await;
            drop(slow);
        };
        let (granted, ()) = tokio::join!(fast.make_room(500), gives_way);
        assert!(granted);
    }

    #[tokio::test]
    async fn bodies_of_like_pace_keep_what_they_have() {
        let room = Room::new(1000, 1000);
        let now = Instant::now();
        let mut first = room.begin(now);
        assert!(first.share.grow_to(1000));
        first.moved(1000, now);
        let mut second = room.begin(now);
        second.moved(1000, now);
        assert!(!second.make_room(1000).await);
    }
}
