//! Capturing what is traced, as text.

use std::fmt::{self, Debug, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tracing::field::{Field, Visit};
use tracing::instrument::WithSubscriber as _;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::{DefaultGuard, Interest};
use tracing::{Dispatch, Event, Metadata, Subscriber};

/// Captures all events and spans of this thread, of every level, until it is dropped.
///
/// What other threads trace is not captured; [`capture_tracing_of`] follows a future through threads.
///
/// ```
/// let captured = swarmauri_keyprovider_testkit::capture_tracing();
/// tracing::info!(kid = "signing", "rotated");
/// assert!(captured.text().contains("kid=\"signing\""));
/// ```
pub fn capture_tracing() -> CapturedTracing {
    let log = TraceLog::default();
    let guard = tracing::subscriber::set_default(Recorder::new(&log));
    CapturedTracing { log, _guard: guard }
}

/// Runs a future and captures all events and spans that it emits, on whichever thread it runs. Tasks
/// and threads that it spawns are not followed.
pub async fn capture_tracing_of<F: Future>(future: F) -> (F::Output, String) {
    let log = TraceLog::default();
    let output = future.with_subscriber(Dispatch::new(Recorder::new(&log))).await;
    (output, log.text())
}

/// What [`capture_tracing`] captures, as long as it lives.
#[derive(Debug)]
pub struct CapturedTracing {
    log: TraceLog,
    _guard: DefaultGuard,
}

impl CapturedTracing {
    /// One line for each event and span, with level, target, name, and all fields.
    pub fn lines(&self) -> Vec<String> {
        self.log.0.lock().clone()
    }

    /// All lines in one text.
    pub fn text(&self) -> String {
        self.log.text()
    }
}

#[derive(Debug, Clone, Default)]
struct TraceLog(Arc<Mutex<Vec<String>>>);

impl TraceLog {
    fn text(&self) -> String {
        self.0.lock().join("\n")
    }

    fn add(&self, what: &str, metadata: Option<&Metadata<'_>>, fields: impl FnOnce(&mut Line)) {
        let mut line = Line(what.to_owned());
        if let Some(metadata) = metadata {
            line.push(format_args!(" {} {} {}", metadata.level(), metadata.target(), metadata.name()));
        }
        fields(&mut line);
        self.0.lock().push(line.0);
    }
}

struct Line(String);

impl Line {
    fn push(&mut self, text: fmt::Arguments<'_>) {
        self.0.write_fmt(text).expect("text can always be written to");
    }
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.push(format_args!(" {field}={value:?}"));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.push(format_args!(" {field}={value:?} {value}"));
    }
}

struct Recorder {
    log: TraceLog,
    next_id: AtomicU64,
}

impl Recorder {
    fn new(log: &TraceLog) -> Self {
        Self { log: log.clone(), next_id: AtomicU64::new(1) }
    }
}

impl Subscriber for Recorder {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes() // never cached: several recorders come and go
    }

    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.log.add("span", Some(span.metadata()), |line| span.record(line));
        Id::from_u64(self.next_id.fetch_add(1, Ordering::Relaxed))
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        self.log.add("record", None, |line| values.record(line));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.log.add("event", Some(event.metadata()), |line| event.record(line));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_spans_and_late_fields_are_captured_with_their_values() {
        let captured = capture_tracing();
        let span = tracing::trace_span!("work", kid = "a", late = tracing::field::Empty);
        span.record("late", 7);
        span.in_scope(|| tracing::debug!(error = %"refused", number = 1, "message"));
        let [span, record, event] = <[String; 3]>::try_from(captured.lines()).unwrap();
        assert!(span.contains("TRACE") && span.contains("work") && span.contains("kid=\"a\""), "{span}");
        assert!(record.contains("late=7"), "{record}");
        assert!(event.contains("error=refused number=1") && event.contains("message"), "{event}");
    }

    #[test]
    fn nothing_is_captured_after_the_guard_is_gone() {
        let captured = capture_tracing();
        let log = captured.log.clone();
        drop(captured);
        tracing::info!("unheard");
        assert_eq!(log.text(), "");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_future_is_followed_to_other_threads() {
        let traced = capture_tracing_of(async {
            tokio::task::yield_now().await;
            tracing::info!(step = 2);
            5
        });
        let (output, text) = tokio::spawn(traced).await.unwrap();
        assert_eq!(output, 5);
        assert!(text.contains("step=2"), "{text}");
    }
}
