//! A page for a browser: the timeline, where the time goes, tables and memory.
//!
//! The page is one file: style, program and data stand in it, and it loads
//! nothing. Names come from compiled programs and may be anything: they stand
//! in a block of JSON without `<`, and get into the document as text only.

use std::collections::HashMap;
use std::io::{Result, Write};

use profile::{Activity, Detail, Kind, Profile, Work};
use serde::Serialize;

use super::{detail, word};

const PAGE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
const PROGRAM: &str = include_str!("page/page.js");

/// Writes a profile of running `what` as a page that needs nothing else.
///
/// # Errors
///
/// Those of `out`.
pub fn write_page(profile: &Profile, what: &str, out: &mut dyn Write) -> Result<()> {
    let data = serde_json::to_string(&Data::new(profile, what))?;
    // In JSON `<` stands in strings only, where it may be written so.
    let data = data.replace('<', "\\u003c");
    let mut rest = PAGE;
    for (mark, text) in [
        ("%STYLE%", STYLE),
        ("%DATA%", &data),
        ("%PROGRAM%", PROGRAM),
    ] {
        let (before, after) = rest.split_once(mark).unwrap_or((rest, ""));
        out.write_all(before.as_bytes())?;
        out.write_all(text.as_bytes())?;
        rest = after;
    }
    out.write_all(rest.as_bytes())
}

/// What the page gets. Texts are numbered, times are nanoseconds.
#[derive(Serialize)]
struct Data<'a> {
    what: &'a str,
    version: &'static str,
    dropped: u64,
    tracks: Vec<TrackData<'a>>,
    texts: Vec<String>,
    /// Track, start, duration, word, name, detail.
    spans: Vec<[u64; 6]>,
    /// Of spans of devices: the span's number, the track and the time where it
    /// was submitted.
    origins: Vec<[u64; 3]>,
    /// Track, time, bytes.
    levels: Vec<[u64; 3]>,
    /// What calls spent on each activity.
    split: Vec<(&'static str, u64)>,
    device_ns: u64,
    host_words: Vec<&'static str>,
    device_words: Vec<&'static str>,
}

#[derive(Serialize)]
struct TrackData<'a> {
    group: &'a str,
    name: &'a str,
}

impl<'a> Data<'a> {
    fn new(profile: &'a Profile, what: &'a str) -> Self {
        let mut texts = Texts::default();
        let (mut spans, mut origins, mut levels) = (Vec::new(), Vec::new(), Vec::new());
        for event in &profile.events {
            let track = event.track.index() as u64;
            if let (Kind::Level, Detail::Bytes(bytes)) = (event.kind, event.detail) {
                levels.push([track, event.start_ns, bytes]);
                continue;
            }
            if let Kind::Device(_, origin) = event.kind {
                let from = origin.track.index() as u64;
                origins.push([spans.len() as u64, from, origin.at_ns]);
            }
            spans.push([
                track,
                event.start_ns,
                event.duration_ns,
                texts.number(word(event)),
                texts.number(&event.name),
                texts.number(&detail(event)),
            ]);
        }
        let tracks = profile.tracks.iter();
        Self {
            what,
            version: env!("CARGO_PKG_VERSION"),
            dropped: profile.dropped,
            tracks: tracks
                .map(|track| TrackData {
                    group: &track.group,
                    name: &track.name,
                })
                .collect(),
            texts: texts.list,
            spans,
            origins,
            levels,
            split: Activity::ALL
                .iter()
                .map(|&activity| (activity.word(), profile.totals.host_ns(activity)))
                .collect(),
            device_ns: profile.totals.device_ns,
            host_words: Activity::ALL.iter().map(|it| it.word()).collect(),
            device_words: Work::ALL.iter().map(|it| it.word()).collect(),
        }
    }
}

/// Texts, each once.
#[derive(Default)]
struct Texts {
    list: Vec<String>,
    numbers: HashMap<String, u64>,
}

impl Texts {
    fn number(&mut self, text: &str) -> u64 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.list.len() as u64;
        self.list.push(text.to_owned());
        self.numbers.insert(text.to_owned(), number);
        number
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::timeline::testing::{HOSTILE, profile};

    fn page() -> String {
        let mut out = Vec::new();
        write_page(&profile(), HOSTILE, &mut out).expect("memory takes it");
        String::from_utf8(out).expect("UTF-8")
    }

    /// The text between two marks, of which the first stands there once.
    fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
        assert_eq!(text.matches(from).count(), 1, "{from}");
        let rest = text.split_once(from).expect("it is there").1;
        rest.split_once(to).expect("it is there").0
    }

    #[test]
    fn hostile_names_stay_data() {
        let page = page();
        assert!(!page.contains("<img"), "a name got into the document");
        // The only ends of scripts are those of our own two.
        assert_eq!(page.matches("</script").count(), 2);
        let data = between(
            &page,
            "<script type=\"application/json\" id=\"data\">",
            "</script>",
        );
        let data: Value = serde_json::from_str(data).expect("JSON");
        assert_eq!(data["what"], HOSTILE);
        let texts = data["texts"].as_array().expect("texts");
        let kernel = format!("{HOSTILE} kernel");
        assert!(texts.iter().any(|text| *text == kernel.as_str()));
    }

    #[test]
    fn spans_levels_and_origins_are_there() {
        let page = page();
        let data = between(
            &page,
            "<script type=\"application/json\" id=\"data\">",
            "</script>",
        );
        let data: Value = serde_json::from_str(data).expect("JSON");
        let text = |number: &Value| data["texts"][number.as_u64().unwrap() as usize].clone();
        let spans = data["spans"].as_array().expect("spans");
        let names: Vec<_> = spans.iter().map(|span| text(&span[4])).collect();
        assert_eq!(names.len(), 8);
        for (origin, name) in data["origins"]
            .as_array()
            .unwrap()
            .iter()
            .zip(["first kernel"])
        {
            let span = &spans[origin[0].as_u64().unwrap() as usize];
            assert_eq!(text(&span[4]), name);
            assert_eq!(text(&span[3]), "dispatch");
            assert_eq!(text(&span[5]), "grid 4x1x1, block 64x1x1");
            assert!(origin[2].as_u64() <= span[1].as_u64());
        }
        assert_eq!(data["levels"].as_array().unwrap().len(), 4);
        assert_eq!(data["split"][0][0], "call");
    }

    #[test]
    fn the_page_loads_nothing() {
        let page = page();
        for text in [
            "http://", "https://", "src=", "href=", "@import", "url(", "fetch(",
        ] {
            let own = page.replace(&HOSTILE.replace('<', "\\u003c"), "");
            let data = between(
                &own,
                "<script type=\"application/json\" id=\"data\">",
                "</script>",
            );
            assert!(!own.replace(data, "").contains(text), "{text}");
        }
        assert!(page.contains("default-src 'none'"));
        for mark in ["%STYLE%", "%DATA%", "%PROGRAM%"] {
            assert!(!page.contains(mark), "{mark}");
        }
    }
}
