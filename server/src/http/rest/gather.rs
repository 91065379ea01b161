//! Questions that come at the same time are asked together: while one round is at work those that arrive wait for the
//! next. Under load this makes a few large statements out of thousands of small ones; a question alone waits for nobody.

use std::time::Duration;

use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

/// Questions that may wait; more are refused.
const WAITING_MAX: usize = 4_096;
/// A round may take so long.
const ROUND_LIMIT: Duration = Duration::from_secs(10);

/// One place where questions of a kind are gathered.
pub struct Gather<Q, A> {
    waiting: mpsc::Sender<(Q, oneshot::Sender<A>)>,
}

impl<Q: Send + 'static, A: Send + 'static> Gather<Q, A> {
    /// Begins to gather rounds of at most `most` questions. `answer` answers each in its order. Ends with the last handle.
    pub fn start<F, R>(most: usize, answer: F) -> Self
    where
        F: Fn(Vec<Q>) -> R + Send + 'static,
        R: Future<Output = Vec<A>> + Send,
    {
        let (waiting, mut asked) = mpsc::channel::<(Q, oneshot::Sender<A>)>(WAITING_MAX);
        tokio::spawn(async move {
            let mut round = Vec::with_capacity(most);
            while asked.recv_many(&mut round, most).await > 0 {
                let (questions, askers): (Vec<Q>, Vec<oneshot::Sender<A>>) = round.drain(..).unzip();
                // Whoever is not answered learns that there is no answer.
                let Ok(answers) = timeout(ROUND_LIMIT, answer(questions)).await else { continue };
                for (asker, answer) in askers.into_iter().zip(answers) {
                    // One that went away is told nothing.
                    _ = asker.send(answer);
                }
            }
        });
        Self { waiting }
    }

    /// Asks; none when too much is waiting, or a round took too long.
    pub async fn ask(&self, question: Q) -> Option<A> {
        let (asker, answer) = oneshot::channel();
        self.waiting.try_send((question, asker)).ok()?;
        answer.await.ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use futures::future::join_all;

    use super::*;

    #[tokio::test]
    async fn what_comes_together_is_asked_together() {
        let rounds = Arc::new(AtomicUsize::new(0));
        let counted = rounds.clone();
        let doubled = Gather::start(100, move |questions: Vec<u32>| {
            counted.fetch_add(1, Ordering::Relaxed);
            async move {
                tokio::task::yield_now().await;
                questions.into_iter().map(|number| number * 2).collect()
            }
        });
        let answers = join_all((0..50).map(|number| doubled.ask(number))).await;
        let expected: Vec<Option<u32>> = (0..50).map(|number| Some(number * 2)).collect();
        assert_eq!(answers, expected);
        assert!(rounds.load(Ordering::Relaxed) < 10, "{rounds:?} rounds");
    }

    #[tokio::test(start_paused = true)]
    async fn a_round_that_hangs_answers_nobody_and_holds_nobody_up() {
        let hangs = Gather::start(1, |questions: Vec<bool>| async move {
            if questions == [true] {
                std::future::pending::<()>().await;
            }
            questions
        });
        assert_eq!(hangs.ask(true).await, None);
        assert_eq!(hangs.ask(false).await, Some(false));
    }
}
