//! What the server has done and does, for Prometheus: the one place that renders what the actors count.
//!
//! They count into plain numbers that each of them alone writes ([`Counter`]); a histogram is told once for
//! each batch. Only who reads pays for the rest. No label has more values than this program knows: never a
//! nick, a channel or an address.

use std::fs;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus::core::Collector;
use prometheus::{
    Encoder as _, Gauge, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry, TextEncoder,
};

use crate::chat::room_metrics::{Refusals, RoomMetrics};
use crate::net::counts::Counts;
use crate::net::transport::Kind;
use crate::store::log::RecordedEnd;
use crate::store::recorder;
use crate::telemetry::counter::Counter;
use crate::telemetry::health::Health;

/// Seconds: from a write into the system's cache to a disk that hardly answers.
const BUCKETS: [f64; 16] = [
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
    1.0, 2.5, 10.0,
];

/// The kernel's clock ticks in a second, as every Linux counts them for programs.
const TICKS: f64 = 100.0;

/// See the head of this file.
#[derive(Debug)]
pub struct Metrics {
    pub tally: Arc<RoomMetrics>,
    /// One for each thread that serves connections.
    pub threads: Vec<Arc<Counts>>,
    pub recorder: recorder::RecorderMetrics,
    pub deliver: Histogram,
    pub health: Health,
    history: RecordedEnd,
    started: SystemTime,
}

fn histogram(name: &str, help: &str) -> Histogram {
    let options = HistogramOpts::new(name, help).buckets(BUCKETS.into());
    Histogram::with_opts(options).expect("the name is legal and the buckets grow")
}

impl Metrics {
    /// Of a server with so many threads, whose history ends there.
    pub fn new(threads: usize, history: RecordedEnd, health: &Health) -> Arc<Self> {
        Arc::new(Self {
            tally: Arc::default(),
            threads: (0..threads).map(|_| Arc::default()).collect(),
            recorder: recorder::RecorderMetrics {
                health: health.clone(),
                messages: Arc::default(),
                append: histogram(
                    "chat_record_seconds",
                    "Time to append a batch to the history, with its fdatasync under durability batch",
                ),
                fsync: histogram("chat_fsync_seconds", "Time of an fdatasync of the history"),
            },
            deliver: histogram(
                "chat_deliver_seconds",
                "Time from the first request of a batch until a thread has written it to its sockets",
            ),
            health: health.clone(),
            history,
            started: SystemTime::now(),
        })
    }

    /// All of it, in the text format of Prometheus.
    pub fn render(&self) -> Vec<u8> {
        let page = Page(Registry::new());
        self.people(&page);
        self.talk(&page);
        self.queues(&page);
        self.process(&page);
        let mut text = Vec::new();
        TextEncoder::new()
            .encode(&page.0.gather(), &mut text)
            .expect("every family has a metric, and memory takes what is written");
        text
    }

    fn people(&self, page: &Page) {
        let open = page.gauges("chat_connections", "Connections that are open", "transport");
        let opened = page.counters(
            "chat_connections_opened_total",
            "Connections that were opened",
            "transport",
        );
        for kind in Kind::ALL {
            let all = self.threads.iter().map(|thread| thread.connections(kind));
            let (now, ever) = all.fold((0, 0), |sum, each| (sum.0 + each.0, sum.1 + each.1));
            open.with_label_values(&[kind.name()]).set(whole(now));
            opened.with_label_values(&[kind.name()]).inc_by(ever);
        }
        page.gauge("chat_users", "People who are here", self.tally.users.get());
        page.gauge(
            "chat_channels",
            "Channels that exist",
            self.tally.channels.get(),
        );
        page.counter(
            "chat_logins_total",
            "Hellos that were welcomed, also of those who came back",
            self.sum(|thread| &thread.logins),
        );
        let refusals = page.counters(
            "chat_refusals_total",
            "Errors that clients were told, by code (PROTOCOL.md, 6)",
            "code",
        );
        let count = |all: &Refusals| {
            for (code, count) in all.iter() {
                refusals
                    .with_label_values(&[&code.to_string()])
                    .inc_by(count);
            }
        };
        count(&self.tally.refusals);
        self.threads
            .iter()
            .for_each(|thread| count(&thread.refusals));
        page.counter(
            "chat_slow_consumers_total",
            "Connections that were let go as they read too slowly",
            self.sum(|thread| &thread.slow_consumers),
        );
    }

    fn talk(&self, page: &Page) {
        page.counter(
            "chat_messages_total",
            "Messages that were recorded",
            self.recorder.messages.get(),
        );
        page.counter(
            "chat_deliveries_total",
            "Messages put on their way to one person each",
            self.sum(|thread| &thread.deliveries),
        );
        page.counter(
            "chat_received_bytes_total",
            "Bytes read from sessions, TLS not counted",
            self.sum(|thread| &thread.received_bytes),
        );
        page.counter(
            "chat_sent_bytes_total",
            "Bytes written to sessions, TLS not counted",
            self.sum(|thread| &thread.sent_bytes),
        );
        page.add(self.recorder.append.clone());
        page.add(self.recorder.fsync.clone());
        page.add(self.deliver.clone());
        page.gauge(
            "chat_history_bytes",
            "Length of the history",
            self.history.get(),
        );
    }

    fn queues(&self, page: &Page) {
        page.gauge(
            "chat_outbox_bytes",
            "Bytes that wait for clients to read them",
            self.sum(|thread| &thread.waiting_bytes),
        );
        page.gauge(
            "chat_lagging_connections",
            "Connections that leave half of what may wait for them unread",
            self.sum(|thread| &thread.lagging),
        );
        page.gauge(
            "chat_dispatcher_waiting_batches",
            "Batches that are kept back for those who lag",
            self.sum(|thread| &thread.kept_back),
        );
        page.gauge(
            "chat_room_waiting_messages",
            "Messages gathered for the recorder",
            self.tally.gathered.get(),
        );
        page.gauge(
            "chat_recorder_waiting_messages",
            "Messages that the recorder is writing",
            self.tally.recording.get(),
        );
    }

    fn process(&self, page: &Page) {
        let well = u64::from(self.health.summary().is_none());
        page.gauge("chat_healthy", "Whether /healthz says ready", well);
        let build = page.gauges("chat_build_info", "The version that runs", "version");
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        let started = self.started.duration_since(UNIX_EPOCH).unwrap_or_default();
        page.real(
            "process_start_time_seconds",
            "When the process started, since 1970",
            started.as_secs_f64(),
        );
        // Files of the kernel, not of a disk: to read them waits for nothing.
        if let Some(bytes) = resident_bytes() {
            page.gauge("process_resident_memory_bytes", "Resident memory", bytes);
        }
        if let Some(seconds) = cpu_seconds() {
            let help = "Time on a processor, of all threads";
            let cpu =
                prometheus::Counter::new("process_cpu_seconds_total", help).expect("a legal name");
            cpu.inc_by(seconds);
            page.add(cpu);
        }
        if let Ok(files) = fs::read_dir("/proc/self/fd") {
            let open = u64::try_from(files.count()).unwrap_or(u64::MAX);
            page.gauge("process_open_fds", "Open file descriptors", open);
        }
    }

    fn sum(&self, part: impl Fn(&Counts) -> &Counter) -> u64 {
        self.threads.iter().map(|thread| part(thread).get()).sum()
    }
}

/// What is being rendered. Names stand in this file alone: they are legal and differ.
struct Page(Registry);

impl Page {
    fn add(&self, metric: impl Collector + 'static) {
        self.0
            .register(Box::new(metric))
            .expect("no name is used twice");
    }

    fn gauge(&self, name: &str, help: &str, value: u64) {
        let gauge = IntGauge::new(name, help).expect("a legal name");
        gauge.set(whole(value));
        self.add(gauge);
    }

    fn real(&self, name: &str, help: &str, value: f64) {
        let gauge = Gauge::new(name, help).expect("a legal name");
        gauge.set(value);
        self.add(gauge);
    }

    fn counter(&self, name: &str, help: &str, value: u64) {
        let counter = IntCounter::new(name, help).expect("a legal name");
        counter.inc_by(value);
        self.add(counter);
    }

    fn gauges(&self, name: &str, help: &str, label: &str) -> IntGaugeVec {
        let gauges = IntGaugeVec::new(Opts::new(name, help), &[label]).expect("legal names");
        self.add(gauges.clone());
        gauges
    }

    fn counters(&self, name: &str, help: &str, label: &str) -> IntCounterVec {
        let counters = IntCounterVec::new(Opts::new(name, help), &[label]).expect("legal names");
        self.add(counters.clone());
        counters
    }
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}

fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // Behind the name of the program, which may have any characters: the fields 14 and 15 are ours.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS)
}
