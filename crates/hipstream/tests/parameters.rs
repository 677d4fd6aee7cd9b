//! Programs of both compiler generations with parameters, from files of every
//! format, on the software GPU.
#![expect(unsafe_code, reason = "loading the modules of this repository")]

use std::sync::{Arc, Mutex};

use hal::StatusCode;
use hipstream::parameters::{Mode, Progress, Set, Source};
use hipstream::{Session, SessionBuilder, device};

const GENERATIONS: [&str; 2] = ["gfx1100", "old_gfx1100"];

fn set(files: &[&str], mode: Mode) -> hipstream::Result<Set> {
    let folder = fixtures::path("parameters");
    let sources: Vec<Source> = files
        .iter()
        .map(|file| {
            let source: Source = file.parse().expect("a source");
            Source {
                path: folder.join(source.path),
                ..source
            }
        })
        .collect();
    Ok(Set::open(&sources, mode)?)
}

fn builder() -> SessionBuilder {
    let opened = device::open("software", &device::Options::default()).expect("it is built in");
    Session::builder().device(&opened.device)
}

fn load(builder: SessionBuilder, generation: &str) -> hipstream::Result<Session> {
    let mut session = builder.build()?;
    let path = fixtures::path(generation).join("parameters.vmfb");
    // SAFETY: the fixtures are our own programs.
    unsafe { session.load_file(path)? };
    Ok(session)
}

fn main_of(session: &mut Session, input: [f32; 4]) -> Vec<f32> {
    let outputs = session.call("main", &[input.as_slice().into()]);
    outputs.expect("it runs")[0].to_vec().expect("f32")
}

#[test]
fn programs_get_their_weights_from_every_format() {
    for generation in GENERATIONS {
        for file in [
            "model=model.irpa",
            "model=model.safetensors",
            "model=model.gguf",
        ] {
            for mode in [Mode::File, Mode::Preload] {
                let name = format!("{generation}, {file}");
                let set = set(&[file, "splats.irpa"], mode).expect("sound files");
                let session = load(builder().parameters(set), generation);
                let mut session = session.unwrap_or_else(|error| panic!("{name}: {error:?}"));
                // input × w + m + shift, kept in m.
                let first = main_of(&mut session, [1.0, 1.0, 1.0, 1.0]);
                assert_eq!(first, [101.5, 101.5, 111.0, 120.0], "{name}");
                let second = main_of(&mut session, [0.0, 1.0, 0.0, -1.0]);
                assert_eq!(second, [201.5, 203.5, 211.0, 216.0], "{name}");
            }
        }
    }
}

#[test]
fn observers_see_all_that_is_loaded() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let observer = {
        let told = told.clone();
        Arc::new(move |progress| told.lock().expect("no panic").push(progress))
    };
    let set = set(&["model=model.irpa", "splats.irpa"], Mode::File).expect("sound files");
    let builder = builder().parameters(set).parameter_progress(observer);
    load(builder, "gfx1100").expect("all are there");
    // `w` and `m`; `shift` is nowhere to be read.
    let last = told.lock().expect("no panic").last().copied();
    assert_eq!(
        last,
        Some(Progress {
            done: 32,
            total: 32
        })
    );
}

#[test]
fn programs_without_their_parameters_say_which_they_want() {
    for generation in GENERATIONS {
        for (files, message) in [
            (
                &["splats.irpa"][..],
                "no provider registered that handles scopes like 'model'; \
                 give --parameters=model=FILE",
            ),
            (
                &["model=model.irpa"],
                "no provider registered that handles scopes like ''",
            ),
            (&[], "no provider registered that handles scopes like"),
            (
                &["model=splats.irpa", "splats.irpa"],
                "there is no parameter `w` in scope `model`, which has 4",
            ),
        ] {
            let set = set(files, Mode::File).expect("sound files");
            let error = load(builder().parameters(set), generation).expect_err("it cannot start");
            assert_eq!(error.code(), StatusCode::NotFound, "{error:?}");
            let text = format!("{error:?}");
            assert!(text.contains(message), "{generation}: {text}");
        }
    }
    for (files, code) in [
        (&["none.irpa"][..], StatusCode::NotFound),
        (&["../README.md"], StatusCode::InvalidArgument),
        (&["a=model.irpa", "a=model.gguf"], StatusCode::AlreadyExists),
    ] {
        let error = set(files, Mode::File).expect_err("no such set");
        assert_eq!(error.code(), code, "{error:?}");
        assert!(error.message().contains(".irpa") || error.message().contains("README.md"));
    }
}
