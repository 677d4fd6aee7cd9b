//! The trace events of Chrome, which Perfetto reads as well.

use std::collections::BTreeMap;
use std::io::{Result, Write};

use profile::{Detail, Event, Kind, Profile};
use serde_json::{Value, json};

use super::{detail, word};

/// Writes a profile of running `what` as JSON for `chrome://tracing` and
/// <https://ui.perfetto.dev>: threads and queues with their spans, arrows from
/// where work was submitted to where it ran, and memory as counters.
///
/// # Errors
///
/// Those of `out`.
pub fn write_trace_events(profile: &Profile, what: &str, out: &mut dyn Write) -> Result<()> {
    let head = json!({
        "program": what,
        "recorder": concat!("hipstream ", env!("CARGO_PKG_VERSION")),
        "dropped_events": profile.dropped,
    });
    write!(
        out,
        "{{\"displayTimeUnit\":\"ns\",\"otherData\":{head},\n\"traceEvents\":[\n"
    )?;
    let mut lines = Lines { out, count: 0 };
    let places = places(profile);
    for (group, name, process, thread) in &places.names {
        if let Some(group) = group {
            let args = json!({ "name": group });
            lines
                .write(&json!({"ph": "M", "name": "process_name", "pid": process, "args": args}))?;
            // Threads stand above what they submit to.
            let sort = if *group == "host" { 0 } else { *process };
            let args = json!({ "sort_index": sort });
            lines.write(
                &json!({"ph": "M", "name": "process_sort_index", "pid": process, "args": args}),
            )?;
        }
        let (pid, tid) = (process, thread);
        let args = json!({ "name": name });
        lines.write(
            &json!({"ph": "M", "name": "thread_name", "pid": pid, "tid": tid, "args": args}),
        )?;
        let args = json!({ "sort_index": thread });
        lines.write(
            &json!({"ph": "M", "name": "thread_sort_index", "pid": pid, "tid": tid, "args": args}),
        )?;
    }
    for (index, event) in profile.events.iter().enumerate() {
        let (pid, tid) = places.of[event.track.index()];
        let (ts, name) = (microseconds(event.start_ns), &*event.name);
        if event.kind == Kind::Level {
            let track = &profile.tracks[event.track.index()].name;
            let args = json!({ name: bytes(event) });
            lines.write(
                &json!({"ph": "C", "name": track, "pid": pid, "tid": tid, "ts": ts, "args": args}),
            )?;
            continue;
        }
        let mut args = json!({});
        if event.detail != Detail::None {
            args["detail"] = Value::from(detail(event));
        }
        let (dur, cat) = (microseconds(event.duration_ns), word(event));
        lines.write(&json!({
            "ph": "X", "name": name, "cat": cat, "pid": pid, "tid": tid, "ts": ts, "dur": dur,
            "args": args,
        }))?;
        if let Kind::Device(_, origin) = event.kind {
            let (from_pid, from_tid) = places.of[origin.track.index()];
            let from = microseconds(origin.at_ns);
            lines.write(&json!({
                "ph": "s", "id": index, "name": "submitted", "cat": "submitted",
                "pid": from_pid, "tid": from_tid, "ts": from,
            }))?;
            lines.write(&json!({
                "ph": "f", "bp": "e", "id": index, "name": "submitted", "cat": "submitted",
                "pid": pid, "tid": tid, "ts": ts,
            }))?;
        }
    }
    lines.out.write_all(b"\n]}\n")
}

/// Process and thread numbers of tracks.
struct Places<'a> {
    of: Vec<(usize, usize)>,
    /// A group where it is met first, a track, and its numbers.
    names: Vec<(Option<&'a str>, &'a str, usize, usize)>,
}

fn places(profile: &Profile) -> Places<'_> {
    let mut groups = BTreeMap::new();
    let mut places = Places {
        of: Vec::new(),
        names: Vec::new(),
    };
    for (index, track) in profile.tracks.iter().enumerate() {
        let next = groups.len() + 1;
        let process = *groups.entry(track.group.as_str()).or_insert(next);
        let group = (process == next).then_some(track.group.as_str());
        places.of.push((process, index + 1));
        places.names.push((group, &track.name, process, index + 1));
    }
    places
}

fn bytes(event: &Event) -> u64 {
    match event.detail {
        Detail::Bytes(bytes) => bytes,
        _ => 0,
    }
}

fn microseconds(ns: u64) -> f64 {
    ns as f64 / 1e3
}

/// The events, separated by commas.
struct Lines<'a> {
    out: &'a mut dyn Write,
    count: usize,
}

impl Lines<'_> {
    fn write(&mut self, event: &Value) -> Result<()> {
        if self.count > 0 {
            self.out.write_all(b",\n")?;
        }
        self.count += 1;
        write!(self.out, "{event}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::testing::{HOSTILE, profile};

    fn events(profile: &Profile, what: &str) -> Vec<Value> {
        let mut out = Vec::new();
        write_trace_events(profile, what, &mut out).expect("memory takes it");
        let mut trace: Value = serde_json::from_slice(&out).expect("JSON");
        assert_eq!(trace["otherData"]["program"], what);
        serde_json::from_value(trace["traceEvents"].take()).expect("an array")
    }

    fn number(event: &Value, key: &str) -> f64 {
        event[key]
            .as_f64()
            .unwrap_or_else(|| panic!("no {key}: {event}"))
    }

    #[test]
    fn spans_nest_and_have_names() {
        let events = events(&profile(), HOSTILE);
        let spans: Vec<_> = events.iter().filter(|event| event["ph"] == "X").collect();
        // Two calls: each with its program, a launch and a dispatch.
        assert_eq!(spans.len(), 8);
        let kernel = format!("{HOSTILE} kernel");
        for name in [
            "first",
            HOSTILE,
            "program",
            "hipModuleLaunchKernel",
            &kernel,
        ] {
            assert!(spans.iter().any(|span| span["name"] == name), "{name}");
        }
        // Of two spans of a thread one is in the other, or they are apart. Ends
        // are sums of floats of microseconds.
        let slack = 0.001;
        for a in &spans {
            for b in &spans {
                if (&a["pid"], &a["tid"]) != (&b["pid"], &b["tid"]) {
                    continue;
                }
                let (a_start, b_start) = (number(a, "ts"), number(b, "ts"));
                let (a_end, b_end) = (a_start + number(a, "dur"), b_start + number(b, "dur"));
                let is_apart = a_end <= b_start + slack || b_end <= a_start + slack;
                let is_inside = (a_start <= b_start + slack && b_end <= a_end + slack)
                    || (b_start <= a_start + slack && a_end <= b_end + slack);
                assert!(is_apart || is_inside, "{a}\n{b}");
            }
        }
    }

    #[test]
    fn tracks_have_names_and_memory_is_a_counter() {
        let events = events(&profile(), "x");
        let named = |kind: &str| -> Vec<_> {
            let names = events.iter().filter(|event| event["name"] == kind);
            names.map(|event| event["args"]["name"].clone()).collect()
        };
        assert_eq!(named("process_name"), ["GPU, device 0", "host"]);
        assert_eq!(named("thread_name")[..2], ["queue 0", "device memory"]);
        let counters: Vec<_> = events
            .iter()
            .filter(|event| event["ph"] == "C")
            .map(|event| (&event["name"], &event["args"]["bytes in use"]))
            .collect();
        let (name, full, empty) = (json!("device memory"), json!(4096), json!(0));
        assert_eq!(
            counters,
            [
                (&name, &full),
                (&name, &empty),
                (&name, &full),
                (&name, &empty)
            ]
        );
    }

    #[test]
    fn work_is_tied_to_where_it_was_submitted() {
        let events = events(&profile(), "x");
        let (starts, ends): (Vec<_>, Vec<_>) = events
            .iter()
            .filter(|event| event["name"] == "submitted")
            .partition(|event| event["ph"] == "s");
        assert_eq!((starts.len(), ends.len()), (2, 2));
        for (start, end) in starts.iter().zip(&ends) {
            assert_eq!(start["id"], end["id"]);
            assert!(number(start, "ts") <= number(end, "ts"));
            let span = events.iter().find(|event| {
                event["name"] == "hipModuleLaunchKernel" && event["ts"] == start["ts"]
            });
            assert!(
                span.is_some_and(|span| span["tid"] == start["tid"]),
                "{start}"
            );
        }
    }
}
