//! Tasks that wait for a worker: bounded, and fair to those who wait.
//!
//! People wait for the texts of chats, a program for those of a batch; so chats go first, and a batch never takes every
//! worker. Within a lane tenants take turns, whatever the length of their lines. When all places are taken, whoever has
//! the fewest gets one from whoever has the most; so a flood is at the expense of the one it comes from.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Condvar, Mutex, PoisonError},
};

use super::{Tenant, stop::lock};

/// What kind of request waits for a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Lane {
    /// Somebody waits for the answer.
    #[default]
    Chat,
    /// A pipeline does.
    Batch,
}

/// The tasks that wait, and who has tasks under work.
#[derive(Debug)]
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    /// Tasks that may wait.
    most: usize,
    /// Tasks of one tenant that are worked on at the same time.
    workers: usize,
}

#[derive(Debug)]
struct State<T> {
    chat: Line<T>,
    batch: Line<T>,
    running: HashMap<Tenant, usize>,
    running_batch: usize,
    taken: usize,
    closed: bool,
}

/// What became of a task that was to wait.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pushed<T> {
    /// It waits.
    Waits,
    /// It waits in the place of this one.
    Instead(T),
    /// There is no place for it.
    Full(T),
}

impl<T> Queue<T> {
    /// Room for `most` tasks before `workers` workers; there is one thread more than that (see [`Queue::threads`]).
    pub(super) fn new(most: usize, workers: usize) -> Self {
        let state = State {
            chat: Line::default(),
            batch: Line::default(),
            running: HashMap::new(),
            running_batch: 0,
            taken: 1,
            closed: false,
        };
        Self { state: Mutex::new(state), changed: Condvar::new(), most, workers }
    }

    /// Threads that take tasks. The one beyond the workers stands by for a tenant that has nothing under work: however
    /// long the tasks of the others take, it need not wait for them.
    pub(super) fn threads(&self) -> usize {
        self.workers + 1
    }

    /// Puts a task into its lane.
    pub(super) fn push(&self, lane: Lane, tenant: Tenant, task: T) -> Pushed<T> {
        let mut state = lock(&self.state);
        if state.closed {
            return Pushed::Full(task);
        }
        let full = state.chat.len + state.batch.len >= self.most;
        let batch_full = lane == Lane::Batch && state.batch.len >= (self.most / 2).max(1);
        let displaced = if full || batch_full {
            let displaced = match lane {
                Lane::Chat if state.batch.len > 0 => state.batch.displace(None),
                lane => state.line(lane).displace(Some(tenant)),
            };
            let Some(displaced) = displaced else { return Pushed::Full(task) };
            Pushed::Instead(displaced)
        } else {
            Pushed::Waits
        };
        state.line(lane).push(tenant, task);
        drop(state);
        self.changed.notify_all();
        displaced
    }

    /// Waits for the next task whose turn it is; `None` when the queue was closed. Its tenant's place among the workers
    /// is taken until the turn goes.
    pub(super) fn next(self: &Arc<Self>) -> Option<(T, Turn<T>)> {
        let mut state = lock(&self.state);
        loop {
            if state.closed {
                return None;
            }
            if let Some((task, tenant, lane)) = state.take(self.workers) {
                return Some((task, Turn { queue: Arc::clone(self), tenant, lane }));
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Lets every worker end; what waits is dropped.
    pub(super) fn close(&self) {
        let mut state = lock(&self.state);
        state.closed = true;
        let (chat, batch) = (std::mem::take(&mut state.chat), std::mem::take(&mut state.batch));
        drop(state);
        self.changed.notify_all();
        drop((chat, batch));
    }
}

impl<T> State<T> {
    fn line(&mut self, lane: Lane) -> &mut Line<T> {
        match lane {
            Lane::Chat => &mut self.chat,
            Lane::Batch => &mut self.batch,
        }
    }

    fn take(&mut self, workers: usize) -> Option<(T, Tenant, Lane)> {
        // Now and then a batch goes first, so that it isn't starved in its turn.
        let lanes = match self.taken % BATCH_EACH {
            0 => [Lane::Batch, Lane::Chat],
            _ => [Lane::Chat, Lane::Batch],
        };
        for lane in lanes {
            if lane == Lane::Batch && self.running_batch >= (workers / 2).max(1) {
                continue;
            }
            let running = std::mem::take(&mut self.running);
            let free = |tenant: &Tenant| running.get(tenant).copied().unwrap_or(0) < workers;
            let next = self.line(lane).next(free);
            self.running = running;
            if let Some((task, tenant)) = next {
                self.taken = self.taken.wrapping_add(1);
                self.running_batch += usize::from(lane == Lane::Batch);
                *self.running.entry(tenant).or_default() += 1;
                return Some((task, tenant, lane));
            }
        }
        None
    }
}

/// A task under work; its place is free again when this goes.
#[derive(Debug)]
pub(super) struct Turn<T> {
    queue: Arc<Queue<T>>,
    tenant: Tenant,
    lane: Lane,
}

impl<T> Drop for Turn<T> {
    fn drop(&mut self) {
        let mut state = lock(&self.queue.state);
        state.running_batch -= usize::from(self.lane == Lane::Batch);
        if let Some(running) = state.running.get_mut(&self.tenant) {
            *running -= 1;
            if *running == 0 {
                state.running.remove(&self.tenant);
            }
        }
        drop(state);
        self.queue.changed.notify_all();
    }
}

/// The tasks of a lane, a queue for each tenant that waits.
#[derive(Debug)]
struct Line<T> {
    /// Whose turn it is.
    turns: VecDeque<Tenant>,
    tasks: HashMap<Tenant, VecDeque<T>>,
    len: usize,
}

impl<T> Default for Line<T> {
    fn default() -> Self {
        Self { turns: VecDeque::new(), tasks: HashMap::new(), len: 0 }
    }
}

impl<T> Line<T> {
    fn of(&self, tenant: Tenant) -> usize {
        self.tasks.get(&tenant).map_or(0, VecDeque::len)
    }

    fn push(&mut self, tenant: Tenant, task: T) {
        let tasks = self.tasks.entry(tenant).or_default();
        if tasks.is_empty() {
            self.turns.push_back(tenant);
        }
        tasks.push_back(task);
        self.len += 1;
    }

    /// The first task of the first tenant that may have one.
    fn next(&mut self, free: impl Fn(&Tenant) -> bool) -> Option<(T, Tenant)> {
        let place = self.turns.iter().position(free)?;
        let tenant = self.turns.remove(place)?;
        let task = self.tasks.get_mut(&tenant)?.pop_front()?;
        self.len -= 1;
        if self.of(tenant) == 0 {
            self.tasks.remove(&tenant);
        } else {
            self.turns.push_back(tenant);
        }
        Some((task, tenant))
    }

    /// Takes out the last task of the tenant with the most, if these are more than `for_whom` would have with one more.
    fn displace(&mut self, for_whom: Option<Tenant>) -> Option<T> {
        // The first of several: in the order of their turns, so that it does not depend on how a map is laid out.
        let most = self.turns.iter().copied().rev().max_by_key(|tenant| self.of(*tenant))?;
        if for_whom.is_some_and(|tenant| self.of(most) <= self.of(tenant) + 1) {
            return None;
        }
        let task = self.tasks.get_mut(&most)?.pop_back()?;
        self.len -= 1;
        if self.of(most) == 0 {
            self.tasks.remove(&most);
            self.turns.retain(|tenant| *tenant != most);
        }
        Some(task)
    }
}

/// Of so many tasks taken, one may be a batch's although chats wait.
const BATCH_EACH: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    const A: Tenant = Tenant([1; 16]);
    const B: Tenant = Tenant([2; 16]);
    const C: Tenant = Tenant([3; 16]);

    /// Takes every task that waits, one after another.
    fn drained(queue: &Arc<Queue<u32>>) -> Vec<u32> {
        let state = lock(&queue.state);
        let waiting = state.chat.len + state.batch.len;
        drop(state);
        (0..waiting).filter_map(|_| queue.next().map(|(task, _)| task)).collect()
    }

    #[test]
    fn tenants_take_turns_whatever_the_length_of_their_lines() {
        let queue = Arc::new(Queue::new(64, 2));
        for task in 0..6 {
            assert_eq!(queue.push(Lane::Chat, A, task), Pushed::Waits);
        }
        queue.push(Lane::Chat, B, 10);
        queue.push(Lane::Chat, C, 20);
        queue.push(Lane::Chat, B, 11);
        assert_eq!(drained(&queue), [0, 10, 20, 1, 11, 2, 3, 4, 5]);
    }

    #[test]
    fn chats_go_first_and_a_batch_is_not_starved() {
        let queue = Arc::new(Queue::new(64, 2));
        for task in 0..10 {
            queue.push(Lane::Batch, B, 100 + task);
            queue.push(Lane::Chat, A, task);
        }
        let order = drained(&queue);
        assert_eq!(order[..7], [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!((order[7], order[8]), (100, 7));
    }

    #[test]
    fn a_tenant_and_a_batch_leave_a_thread_for_others() {
        let queue = Arc::new(Queue::new(64, 2));
        for task in 0..4 {
            queue.push(Lane::Chat, A, task);
            queue.push(Lane::Batch, B, 100 + task);
        }
        assert_eq!(queue.threads(), 3);
        let first: Vec<_> = (0..3).map(|_| queue.next().unwrap()).collect();
        let mut tasks: Vec<u32> = first.iter().map(|(task, _)| *task).collect();
        tasks.sort_unstable();
        assert_eq!(tasks, [0, 1, 100], "two of one tenant and one of a batch are under work");
        assert!(lock(&queue.state).take(2).is_none(), "nobody's turn");
        queue.push(Lane::Chat, C, 20);
        assert_eq!(queue.next().map(|(task, _)| task), Some(20));
        drop(first);
        assert!(matches!(queue.next(), Some((2 | 101, _))));
    }

    #[test]
    fn a_flood_is_at_the_expense_of_the_one_it_comes_from() {
        let queue = Arc::new(Queue::new(8, 2));
        for task in 0..8 {
            assert_eq!(queue.push(Lane::Chat, A, task), Pushed::Waits);
        }
        assert_eq!(queue.push(Lane::Chat, A, 8), Pushed::Full(8));
        for task in 0..4 {
            assert_eq!(queue.push(Lane::Chat, B, 10 + task), Pushed::Instead(7 - task));
        }
        assert_eq!(queue.push(Lane::Chat, B, 14), Pushed::Full(14));
        assert_eq!(queue.push(Lane::Chat, C, 20), Pushed::Instead(3));
    }

    #[test]
    fn a_batch_takes_half_of_the_places_and_gives_them_up_for_chats() {
        let queue = Arc::new(Queue::new(4, 2));
        assert_eq!(queue.push(Lane::Batch, A, 0), Pushed::Waits);
        assert_eq!(queue.push(Lane::Batch, A, 1), Pushed::Waits);
        assert_eq!(queue.push(Lane::Batch, A, 2), Pushed::Full(2));
        assert_eq!(queue.push(Lane::Batch, B, 3), Pushed::Instead(1), "a place each");
        assert_eq!(queue.push(Lane::Batch, B, 4), Pushed::Full(4));
        assert_eq!(queue.push(Lane::Chat, A, 10), Pushed::Waits);
        assert_eq!(queue.push(Lane::Chat, A, 11), Pushed::Waits);
        assert_eq!(queue.push(Lane::Chat, A, 12), Pushed::Instead(0));
        assert_eq!(queue.push(Lane::Chat, A, 13), Pushed::Instead(3));
        assert_eq!(queue.push(Lane::Chat, A, 14), Pushed::Full(14));
    }

    #[test]
    fn a_closed_queue_lets_workers_go() {
        let queue = Arc::new(Queue::new(4, 2));
        queue.push(Lane::Chat, A, 0);
        let waits = Arc::clone(&queue);
        drop(queue.next());
        let worker = std::thread::spawn(move || waits.next().is_none());
        queue.close();
        assert!(worker.join().unwrap());
        assert_eq!(queue.push(Lane::Chat, A, 1), Pushed::Full(1));
    }
}
