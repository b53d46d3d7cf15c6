//! What condensing one text may cost, and when it ends early.
//!
//! Whatever a text makes long (lines, words, items, bonds) is gone through in loops that take a **step** for each byte or
//! entry that they look at. A text brings so many steps for each of its bytes and room for so many items; when they are
//! used up it goes on as it is. So a loop that is worse than linear for some text costs that text's savings, and never a
//! worker. Both depend on the text alone: equal input gives equal output.
//!
//! Steps are also where the job asks whether anybody waits for it. Nobody in here reads a clock: whoever owns the job
//! hands in an [`Interrupt`].
//!
//! The account is the thread's, for one text is condensed by one thread from beginning to end, and steps are taken deep in
//! the readers of words and lines, where an argument through a hundred functions would say nothing about what they do.
//! It is left by unwinding without a panic, as salsa cancels its queries: no reader has to know how to stop half-way. So
//! no step is taken while a `LazyLock` is filled, which would stay poisoned.

use std::{
    cell::RefCell,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
};

use super::{Interrupt, RewriteError};

/// Does `work`, and leaves it soon after `interrupt` says so.
///
/// # Errors
/// What `interrupt` says: [`RewriteError::Deadline`] or [`RewriteError::Cancelled`].
pub fn interruptible<T>(interrupt: &Interrupt, work: impl FnOnce() -> T) -> Result<T, RewriteError> {
    let account = Account { interrupt: Some(interrupt.clone()), ..Account::current() };
    account.during(work).map_err(|ended| match ended {
        Ended::Interrupted(error) => error,
        spent @ Ended::Spent => resume_unwind(Box::new(spent)),
    })
}

/// Does `work` with the steps and the room that so many bytes of text bring; nothing where they don't suffice.
pub(super) fn limited<T>(bytes: usize, work: impl FnOnce() -> T) -> Option<T> {
    let account = Account::of(bytes, Account::current());
    account.during(work).map_or_else(
        |ended| match ended {
            Ended::Spent => None,
            interrupted @ Ended::Interrupted(_) => resume_unwind(Box::new(interrupted)),
        },
        Some,
    )
}

/// Takes steps: one for each byte or entry that the caller looks at next.
pub(crate) fn step(steps: usize) {
    spend(|account| {
        account.steps = account.steps.checked_sub(steps as u64)?;
        account.unasked += steps;
        Some(())
    });
}

/// Takes room for what is built next and kept until the text is done: items, cells, nodes.
pub(crate) fn room(entries: usize) {
    spend(|account| {
        account.room = account.room.checked_sub(entries)?;
        account.unasked += entries;
        Some(())
    });
}

/// What is left to the text that this thread condenses.
#[derive(Clone)]
struct Account {
    steps: u64,
    room: usize,
    interrupt: Option<Interrupt>,
    /// Steps since the interrupt was asked.
    unasked: usize,
}

thread_local! {
    /// Outside of a text there is nothing to save.
    static ACCOUNT: RefCell<Account> =
        const { RefCell::new(Account { steps: u64::MAX, room: usize::MAX, interrupt: None, unasked: 0 }) };
}

/// Why work was left, as what the stack is unwound with.
enum Ended {
    Spent,
    Interrupted(RewriteError),
}

impl Account {
    fn current() -> Self {
        ACCOUNT.with_borrow(Self::clone)
    }

    fn of(bytes: usize, outer: Self) -> Self {
        Self {
            steps: STEPS_A_BYTE.saturating_mul(bytes as u64).saturating_add(LEAST_STEPS).min(outer.steps),
            room: ROOM_A_BYTE.saturating_mul(bytes).saturating_add(LEAST_ROOM).min(MOST_ROOM).min(outer.room),
            ..outer
        }
    }

    /// Makes this the thread's account while `work` lasts.
    fn during<T>(self, work: impl FnOnce() -> T) -> Result<T, Ended> {
        let brought = self.steps;
        let mut outer = ACCOUNT.replace(self);
        let done = catch_unwind(AssertUnwindSafe(work));
        ACCOUNT.with_borrow_mut(|inner| {
            outer.steps = outer.steps.saturating_sub(brought - inner.steps);
            outer.unasked = inner.unasked;
            *inner = outer;
        });
        done.map_err(|payload| match payload.downcast::<Ended>() {
            Ok(ended) => *ended,
            Err(panic) => resume_unwind(panic),
        })
    }
}

fn spend(take: impl FnOnce(&mut Account) -> Option<()>) {
    let asked = ACCOUNT.with_borrow_mut(|account| {
        if take(account).is_none() {
            return Err(Ended::Spent);
        }
        if account.unasked < STEPS_UNASKED {
            return Ok(None);
        }
        account.unasked = 0;
        Ok(account.interrupt.clone())
    });
    let ended = match asked {
        Ok(interrupt) => interrupt.and_then(|interrupt| interrupt.check().err()).map(Ended::Interrupted),
        Err(spent) => Some(spent),
    };
    if let Some(ended) = ended {
        resume_unwind(Box::new(ended));
    }
}

/// Steps for each byte of a text. Ordinary texts take 20 to 60; see the tests.
const STEPS_A_BYTE: u64 = 800;

/// Steps that any text has: what is loaded once and what is asked count for more than a short text's bytes.
const LEAST_STEPS: u64 = 4_000_000;

/// Entries that may be held for each byte of a text: a line of one letter is two bytes and an item of its own.
const ROOM_A_BYTE: usize = 2;

/// Entries that any text has room for.
const LEAST_ROOM: usize = 10_000;

/// Entries that no text has more room for, whatever its length: at up to half a kilobyte each, with all that is known of
/// it, about 200 MB.
const MOST_ROOM: usize = 250_000;

/// Steps after which the interrupt is asked again: well under a millisecond.
const STEPS_UNASKED: usize = 1_024;

/// Steps that `work` takes, for tests.
#[cfg(test)]
pub(super) fn counted<T>(work: impl FnOnce() -> T) -> (T, u64) {
    let before = Account { steps: u64::MAX, ..Account::current() };
    let measured = || {
        let done = work();
        (done, u64::MAX - ACCOUNT.with_borrow(|account| account.steps))
    };
    match before.during(measured) {
        Ok(measured) => measured,
        Err(ended) => resume_unwind(Box::new(ended)),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        cell::Cell,
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering::Relaxed},
        },
    };

    use super::*;

    #[test]
    fn work_past_its_steps_or_its_room_gives_nothing_and_the_next_text_starts_anew() {
        let most = LEAST_STEPS as usize + 10 * STEPS_A_BYTE as usize;
        assert!(limited(10, || step(most + 1)).is_none());
        assert!(limited(10, || room(LEAST_ROOM + 10 * ROOM_A_BYTE + 1)).is_none());
        assert!(limited(usize::MAX, || room(MOST_ROOM + 1)).is_none());
        assert_eq!(limited(10, || step(most)), Some(()));
    }

    #[test]
    fn an_interrupt_ends_work_within_few_steps_and_what_is_spent_is_not_taken_for_one() {
        let left = Arc::new(AtomicUsize::new(3));
        let asked = Arc::clone(&left);
        let interrupt = Interrupt::new(move || {
            asked
                .fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1))
                .map_err(|_| RewriteError::Deadline)
                .map(drop)
        });
        let taken = Cell::new(0);
        let endless = || loop {
            step(1);
            taken.set(taken.get() + 1);
        };
        let ended: Result<Option<()>, _> = interruptible(&interrupt, || limited(usize::MAX, endless));
        assert!(matches!(ended, Err(RewriteError::Deadline)));
        assert!(taken.get() <= 5 * STEPS_UNASKED, "{}", taken.get());
        let spent = interruptible(&Interrupt::never(), || limited(0, || step(usize::MAX)));
        assert!(matches!(spent, Ok(None)));
    }

    #[test]
    fn a_panic_stays_a_panic() {
        let panicked = catch_unwind(AssertUnwindSafe(|| limited(1, || std::panic::panic_any("fault"))));
        assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&"fault"));
    }
}
