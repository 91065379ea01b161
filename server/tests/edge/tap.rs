//! A tap on the line between one worker and Postgres: it lists what the worker made permanent, and can kill the worker
//! exactly before or after one of these transitions.

use std::sync::{Arc, Mutex};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use sqlx::PgConnection;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{Mutex as Turn, OwnedMutexGuard, watch},
};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    store::Database,
    wire::{Asks, Conversation, Frame, Says},
};

/// Statements that move no job and no money: heartbeats, notes of the dispatcher, percents shown to people, the epoch.
const NEWS: [&str; 4] = [
    "update jobs set lease_until",
    "update jobs set dispatched_at",
    "update generations set progress",
    "update queue_epoch",
];

/// On which side of a transition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The worker has asked, the server has not heard it.
    Before,
    /// The server has done it, the worker has not heard it.
    After,
}

/// One moment of a worker's life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    pub phase: Phase,
    /// The kind of job and the writes of the transition.
    pub label: String,
    /// Which one of those with this label, from 1.
    pub nth: usize,
}

/// An address of Postgres that is listened in on. Dropping it cuts the line.
pub struct Tap {
    pub url: String,
    line: Arc<Line>,
    _cut: DropGuard,
}

struct Line {
    server: String,
    target: Option<Point>,
    /// Looks at the database on the tap's own behalf.
    eye: Turn<PgConnection>,
    /// One commit at a time, so that they have an order.
    turn: Arc<Turn<()>>,
    transitions: Mutex<Vec<String>>,
    worker: watch::Sender<Option<Pid>>,
    cut: CancellationToken,
    killed: watch::Sender<bool>,
}

impl Tap {
    /// Opens a line to a database; the worker is killed at `target`.
    pub async fn open(database: &Database, target: Option<Point>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut url = url::Url::parse(&database.url).unwrap();
        let server = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(5432));
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
        let cut = CancellationToken::new();
        let line = Arc::new(Line {
            server,
            target,
            eye: Turn::new(database.connect().await),
            turn: Arc::default(),
            transitions: Mutex::default(),
            worker: watch::Sender::new(None),
            cut: cut.clone(),
            killed: watch::Sender::new(false),
        });
        tokio::spawn(accept(listener, line.clone()));
        Self { url: url.into(), line, _cut: cut.drop_guard() }
    }

    /// Says which process is to be killed. Nothing is made permanent before.
    pub fn aim(&self, worker: Pid) {
        self.line.worker.send_replace(Some(worker));
    }

    /// Returns when the worker was killed.
    pub async fn has_killed(&self) {
        self.line.killed.subscribe().wait_for(|killed| *killed).await.unwrap();
    }

    /// The transitions so far, in their order.
    pub fn transitions(&self) -> Vec<String> {
        self.line.transitions.lock().unwrap().clone()
    }
}

async fn accept(listener: TcpListener, line: Arc<Line>) {
    let cut = line.cut.clone();
    let serve = async {
        while let Ok((client, _)) = listener.accept().await {
            let line = line.clone();
            tokio::spawn(async move {
                let cut = line.cut.clone();
                // However it ends, both ends are closed: the server rolls back what is open.
                _ = cut.run_until_cancelled(connect(client, line)).await;
            });
        }
    };
    cut.run_until_cancelled(serve).await;
}

/// What both directions of a connection share.
#[derive(Default)]
struct Talk {
    conversation: Conversation,
    /// The transition that was asked for, by its label, and the turn it takes.
    asked: Option<(String, Option<OwnedMutexGuard<()>>)>,
}

async fn connect(mut client: TcpStream, line: Arc<Line>) -> std::io::Result<()> {
    let mut server = TcpStream::connect(&line.server).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let mut first = Frame::read_first(&mut client).await?;
    while first.asks_for_encryption() {
        client.write_all(b"N").await?;
        first = Frame::read_first(&mut client).await?;
    }
    server.write_all(&first.bytes).await?;
    let talk = Mutex::default();
    let (mut client_out, mut client_in) = client.split();
    let (mut server_out, mut server_in) = server.split();
    tokio::select! {
        ended = line.carry_questions(&mut client_out, &mut server_in, &talk) => ended,
        ended = line.carry_answers(&mut server_out, &mut client_in, &talk) => ended,
    }
}

impl Line {
    async fn carry_questions(
        &self,
        from: &mut (impl AsyncRead + Unpin),
        to: &mut (impl AsyncWrite + Unpin),
        talk: &Mutex<Talk>,
    ) -> std::io::Result<()> {
        loop {
            let frame = Frame::read(from).await?;
            let asks = talk.lock().unwrap().conversation.hear_client(&frame);
            let (writes, turn) = match asks {
                Asks::Nothing => (Vec::new(), None),
                Asks::Commit(writes) => (writes, Some(self.turn.clone().lock_owned().await)),
                // It may wait for a row a transaction holds, so it must not keep that one's turn.
                Asks::Write(write) => (vec![write], None),
            };
            if let Some(label) = self.label(&writes).await {
                self.stop_at(Phase::Before, &label).await;
                talk.lock().unwrap().asked = Some((label, turn));
            }
            to.write_all(&frame.bytes).await?;
        }
    }

    /// Answers are passed on whole, so that the worker knows nothing of a transition before the tap does.
    async fn carry_answers(
        &self,
        from: &mut (impl AsyncRead + Unpin),
        to: &mut (impl AsyncWrite + Unpin),
        talk: &Mutex<Talk>,
    ) -> std::io::Result<()> {
        let mut kept = Vec::new();
        loop {
            let frame = Frame::read(from).await?;
            kept.extend_from_slice(&frame.bytes);
            let (done, asked) = {
                let mut talk = talk.lock().unwrap();
                let says = talk.conversation.hear_server(&frame);
                match says {
                    Says::Ready(writes) => (!writes.is_empty(), talk.asked.take()),
                    Says::Something if talk.conversation.is_waited_for() => continue,
                    Says::Something => (false, None),
                }
            };
            if let Some((label, turn)) = asked {
                if done {
                    self.stop_at(Phase::After, &label).await;
                    self.transitions.lock().unwrap().push(label);
                }
                drop(turn);
            }
            to.write_all(&kept).await?;
            kept.clear();
        }
    }

    /// The kind of job that carries the latest generation, and what is written; none for mere news.
    async fn label(&self, writes: &[String]) -> Option<String> {
        if writes.iter().all(|write| NEWS.iter().any(|news| write.starts_with(news))) {
            return None;
        }
        let latest = "select coalesce((select j.kind from generations g join jobs j on j.id = g.job_id
             order by g.created_at desc limit 1), '')";
        let kind: String = sqlx::query_scalar(latest).fetch_one(&mut *self.eye.lock().await).await.unwrap();
        Some(format!("{kind}: {}", writes.join("; ")))
    }

    /// Kills the worker if it is to die here; then nothing passes any more.
    async fn stop_at(&self, phase: Phase, label: &str) {
        let Some(target) = self.target.as_ref().filter(|target| target.phase == phase && target.label == label) else {
            return;
        };
        let earlier = self.transitions.lock().unwrap().iter().filter(|known| *known == label).count();
        if earlier + 1 != target.nth {
            return;
        }
        let pid = (*self.worker.subscribe().wait_for(Option::is_some).await.unwrap()).unwrap();
        kill(pid, Signal::SIGKILL).unwrap();
        self.killed.send_replace(true);
        self.cut.cancel();
        std::future::pending::<()>().await;
    }
}
