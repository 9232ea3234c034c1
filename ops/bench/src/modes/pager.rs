//! People who leaf back through the history of the lobby, page by page, each asking for the next when one
//! has come. Every page must join the one before it without a gap.

use std::time::{Duration, Instant};

use super::pace::{Latencies, latencies, note, quantile_ms};
use crate::crowd::{Crowd, Watcher};
use crate::error::Result;
use crate::report::Figures;
use crate::wire::{HistoryPage, Stamp, history_request};

/// As many messages as one may ask for; how many come is the server's choice, a frame has its limit.
const ASK_FOR: u32 = 500;

#[derive(Debug)]
pub(super) struct Pagers {
    /// The number of the first pager's connection.
    first: usize,
    /// By pager: what was asked for.
    asked: Vec<Asked>,
    /// Pagers whose page has come.
    idle: Vec<usize>,
    ask_for: u32,
    pub(super) pages: u64,
    pub(super) messages: u64,
    pub(super) latencies: Latencies,
    pub(super) gaps: u64,
}

#[derive(Clone, Copy, Debug)]
struct Asked {
    before: Option<u64>,
    at: Instant,
}

impl Pagers {
    /// The `count` connections from `first` on leaf, each from the newest message back, again and again.
    pub(super) fn new(first: usize, count: usize) -> Self {
        Self {
            first,
            asked: vec![
                Asked {
                    before: None,
                    at: Instant::now()
                };
                count
            ],
            idle: (0..count).collect(),
            ask_for: ASK_FOR,
            pages: 0,
            messages: 0,
            latencies: latencies(),
            gaps: 0,
        }
    }

    /// Everyone whose page has come asks for the one before it.
    pub(super) fn ask(&mut self, crowd: &mut Crowd) -> Result<()> {
        while let Some(pager) = self.idle.pop() {
            let before = self.asked[pager].before;
            self.asked[pager].at = Instant::now();
            let mut request = Vec::new();
            history_request(before, self.ask_for, &mut request);
            crowd.send(self.first + pager, &request)?;
        }
        Ok(())
    }

    /// Asks for one page of the default size before `seq`; it has come when `pages` has grown.
    pub(super) fn ask_before(&mut self, crowd: &mut Crowd, seq: u64) -> Result<()> {
        self.ask_for = 50;
        self.asked[0].before = Some(seq);
        self.ask(crowd)
    }

    /// From here on it counts.
    pub(super) fn measure_from_now(&mut self) {
        self.pages = 0;
        self.messages = 0;
        self.latencies.reset();
    }

    /// Puts what was paged during `elapsed` into the figures.
    pub(super) fn tell(&self, figures: &mut Figures, elapsed: Duration) {
        let Some(p50) = quantile_ms(&self.latencies, 0.5) else {
            return;
        };
        // With paging in it, the server's time is not that of the deliveries alone.
        figures.cpu_s_per_million = None;
        figures.more("pages / s", self.pages as f64 / elapsed.as_secs_f64());
        figures.more(
            "paged messages / s",
            self.messages as f64 / elapsed.as_secs_f64(),
        );
        figures.more("page p50 ms", p50);
        figures.more(
            "page p99 ms",
            quantile_ms(&self.latencies, 0.99).unwrap_or_default(),
        );
    }

    pub(super) fn fault(&self) -> Option<String> {
        (self.gaps > 0).then(|| format!("{} pages with gaps", self.gaps))
    }
}

impl Watcher for Pagers {
    fn delivery(&mut self, _: usize, _: u64, _: Stamp) {}

    fn page(&mut self, conn: usize, payload: &[u8]) {
        let Some(pager) = conn
            .checked_sub(self.first)
            .filter(|&pager| pager < self.asked.len())
        else {
            return;
        };
        let asked = &mut self.asked[pager];
        note(&mut self.latencies, asked.at.elapsed());
        self.idle.push(pager);
        self.pages += 1;
        let Some(page) = HistoryPage::read(payload) else {
            self.gaps += 1;
            asked.before = None;
            return;
        };
        let joins = asked.before.is_none_or(|before| page.newest + 1 == before);
        let whole = page.messages == page.newest - page.oldest + 1;
        self.gaps += u64::from(!joins || !whole || page.more != (page.oldest > 1));
        self.messages += page.messages;
        asked.before = page.more.then_some(page.oldest);
    }
}
