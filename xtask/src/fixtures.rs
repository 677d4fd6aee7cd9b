//! `cargo xtask fixtures`: makes every file of `fixtures/` anew, or checks that it would come out the same.

mod data;
mod manifest;
mod tools;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use vmfb::archive::Archive;
use vmfb::executable::{Executable, Export};

use manifest::{Buffer, Case, Dispatch, Kind, Manifest, Parameters, Role, Run};
use tools::{Assembler, Missing, Tools};

const USAGE: &str = "usage: cargo xtask fixtures [--check] [--venvs DIR]

Compiles the programs of fixtures/ with both compiler generations and computes their results with the CPU runtime.
  --check      write nothing; fail if a file would change
  --venvs DIR  where to make virtual environments for compilers that are not given
               (default: hipstream in the user's cache folder)
HIPSTREAM_IREE_NEW and HIPSTREAM_IREE_OLD name virtual environments that already have the compilers,
HIPSTREAM_LLVM_MC names llvm-mc of LLVM 22.";

/// Files by their path in `fixtures/`, as they came out.
type Files = BTreeMap<String, Vec<u8>>;

/// Runs the command.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    let mut check = false;
    let mut venvs = None;
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--check" => check = true,
            "--venvs" => venvs = Some(PathBuf::from(arguments.next().ok_or(USAGE)?)),
            _ => return Err(USAGE.to_owned()),
        }
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    let manifest = Manifest::read(&folder.join("manifest.json"))?;
    let tools = match Tools::find(venvs) {
        Ok(tools) => tools,
        Err(Missing::Given(reason)) => return Err(reason),
        Err(Missing::Absent(reason)) => {
            println!("skipped: {reason}");
            return Ok(());
        }
    };
    let scratch = Scratch::new()?;
    let maker = Maker {
        folder: &folder,
        manifest: &manifest,
        tools: &tools,
        scratch: &scratch.0,
    };
    let mut files = Files::new();
    for case in &manifest.cases {
        println!("{}", case.name);
        maker
            .make_case(case, &mut files)
            .map_err(|error| format!("{}: {error}", case.name))?;
    }
    for extra in &manifest.extra {
        let bytes = maker.compile(&extra.target, Kind::Kernel, &extra.source)?;
        files.insert(extra.executable.clone(), bytes);
    }
    for program in &manifest.programs {
        println!("{}", program.name);
        for target in &program.targets {
            let bytes =
                maker.compile_with(target, Kind::Module, &program.source, &program.flags)?;
            files.insert(format!("{target}/{}.vmfb", program.name), bytes);
        }
    }
    for archive in &manifest.parameters {
        println!("{}", archive.file);
        files.insert(archive.file.clone(), maker.make_parameters(archive)?);
    }
    maker.assemble(&mut files)?;
    finish(&folder, &files, &manifest, check)
}

/// Writes the files, or compares them with those that are there.
fn finish(folder: &Path, files: &Files, manifest: &Manifest, check: bool) -> Result<(), String> {
    let mut changed = Vec::new();
    for (name, bytes) in files {
        let path = folder.join(name);
        let before = std::fs::read(&path).unwrap_or_default();
        if before == *bytes || (check && data::close_enough(manifest, name, &before, bytes)) {
            continue;
        }
        changed.push(name.as_str());
        if !check {
            let parent = path.parent().expect("files are in folders");
            std::fs::create_dir_all(parent)
                .map_err(|error| format!("{}: {error}", parent.display()))?;
            std::fs::write(&path, bytes).map_err(|error| format!("{}: {error}", path.display()))?;
        }
    }
    match (changed.as_slice(), check) {
        ([], _) => println!("{} files, all as before", files.len()),
        (changed, false) => println!(
            "{} files, {} changed: {}",
            files.len(),
            changed.len(),
            changed.join(" ")
        ),
        (changed, true) => return Err(format!("these files would change: {}", changed.join(" "))),
    }
    Ok(())
}

/// What every step needs.
struct Maker<'a> {
    folder: &'a Path,
    manifest: &'a Manifest,
    tools: &'a Tools,
    scratch: &'a Path,
}

impl Maker<'_> {
    fn make_case(&self, case: &Case, files: &mut Files) -> Result<(), String> {
        for run in &case.runs {
            self.make_run(case, run, files)?;
        }
        let inputs = case
            .inputs()
            .map(data::contents)
            .collect::<Result<Vec<_>, _>>()?;
        for (buffer, bytes) in case.inputs().zip(&inputs) {
            if let Some(file) = &buffer.file {
                files.insert(file.clone(), data::npy(buffer, bytes));
            }
        }
        if case.kind == Kind::Module {
            self.compute(case, &inputs, files)?;
        }
        Ok(())
    }

    /// The compiled forms of one target: the module, the executables in it, a bare code object.
    fn make_run(&self, case: &Case, run: &Run, files: &mut Files) -> Result<(), String> {
        let source = case
            .sources
            .get(&run.target)
            .ok_or(format!("no source for {}", run.target))?;
        let compiled = self.compile(&run.target, case.kind, source)?;
        for dispatch in &run.dispatches {
            let executable = match case.kind {
                Kind::Module => executable_with(&compiled, &dispatch.export)?,
                Kind::Kernel => compiled.clone(),
            };
            let parsed = Executable::parse(&executable).map_err(|error| error.to_string())?;
            let ordinal = parsed
                .lookup(&dispatch.export)
                .ok_or_else(|| format!("{}: no export {}", run.target, dispatch.export))?;
            let export = &parsed.exports[ordinal];
            check_dispatch(dispatch, export)?;
            if let Some(name) = &run.code_object {
                files.insert(name.clone(), parsed.image_of(export).to_vec());
            }
            files.insert(dispatch.executable.clone(), executable);
        }
        if let Some(name) = &run.module {
            files.insert(name.clone(), compiled);
        }
        Ok(())
    }

    /// Compiles a source, as seen from `fixtures/` so that paths in the output are the same everywhere.
    fn compile(&self, target: &str, kind: Kind, source: &str) -> Result<Vec<u8>, String> {
        self.compile_with(target, kind, source, &[])
    }

    /// As `compile`, with more flags than the target has.
    fn compile_with(
        &self,
        target: &str,
        kind: Kind,
        source: &str,
        flags: &[String],
    ) -> Result<Vec<u8>, String> {
        let output = self.scratch.join(format!(
            "{target}-{}{}",
            source.replace('/', "-"),
            flags.concat().replace('/', "-")
        ));
        if !output.exists() {
            let target = self
                .manifest
                .targets
                .get(target)
                .ok_or(format!("unknown target {target}"))?;
            let environment = self.tools.environment(&target.compiler)?;
            let mut command = environment.command("iree-compile");
            command
                .current_dir(self.folder)
                .args(environment.expand(&target.flags))
                .args(flags);
            if kind == Kind::Kernel {
                command.arg("--compile-mode=hal-executable");
            }
            command.arg(source).arg("-o").arg(&output);
            tools::check(command)?;
        }
        std::fs::read(&output).map_err(|error| format!("{}: {error}", output.display()))
    }

    /// The results, by the CPU runtime.
    fn compute(&self, case: &Case, inputs: &[Vec<u8>], files: &mut Files) -> Result<(), String> {
        let source = &case.sources["gfx1100"];
        self.compile("cpu", Kind::Module, source)?;
        let module = self
            .scratch
            .join(format!("cpu-{}", source.replace('/', "-")));
        let mut command = self
            .tools
            .environment(&self.manifest.targets["cpu"].compiler)?
            .command("iree-run-module");
        command.arg("--device=local-task");
        command.arg(format!("--module={}", module.display()));
        command.arg(format!(
            "--function={}",
            case.function
                .as_deref()
                .ok_or("a module needs a function")?
        ));
        for (buffer, bytes) in case.inputs().zip(inputs) {
            let path = self
                .scratch
                .join(format!("{}.{}.npy", case.name, buffer.name));
            std::fs::write(&path, data::npy(buffer, bytes)).map_err(|error| error.to_string())?;
            command.arg(format!("--input=@{}", path.display()));
        }
        let path = |buffer: &Buffer| {
            self.scratch
                .join(format!("{}.{}.npy", case.name, buffer.name))
        };
        for buffer in case.outputs() {
            command.arg(format!("--output=@{}", path(buffer).display()));
        }
        tools::check(command)?;
        for buffer in case.outputs() {
            let file = std::fs::read(path(buffer)).map_err(|error| error.to_string())?;
            let bytes = data::npy_contents(&file)?;
            if let Some(name) = &buffer.file {
                files.insert(name.clone(), data::npy(buffer, bytes));
            } else {
                check_output(buffer, bytes)?;
            }
        }
        Ok(())
    }

    /// A parameter archive, by the tools that come with the CPU runtime.
    fn make_parameters(&self, archive: &Parameters) -> Result<Vec<u8>, String> {
        let output = self.scratch.join(archive.file.replace('/', "-"));
        let mut command = self
            .tools
            .environment(&self.manifest.targets["cpu"].compiler)?
            .command(&archive.tool);
        command
            .current_dir(self.folder)
            .args(&archive.flags)
            .arg(format!("--output={}", output.display()));
        tools::check(command)?;
        std::fs::read(&output).map_err(|error| format!("{}: {error}", output.display()))
    }

    fn assemble(&self, files: &mut Files) -> Result<(), String> {
        let assembler = match Assembler::find(self.tools) {
            Ok(assembler) => assembler,
            Err(reason) => {
                println!("assembly skipped: {reason}");
                return Ok(());
            }
        };
        for row in &self.manifest.assembly {
            let bytes =
                assembler.assemble(&self.folder.join(&row.source), &row.chip, self.scratch)?;
            files.insert(row.code_object.clone(), bytes);
        }
        Ok(())
    }
}

/// The executable of a module that has this export.
fn executable_with(module: &[u8], export: &str) -> Result<Vec<u8>, String> {
    let archive = Archive::parse(module).map_err(|error| error.to_string())?;
    for entry in &archive.executables {
        let bytes = &module[entry.range.clone()];
        let executable = Executable::parse(bytes).map_err(|error| error.to_string())?;
        if executable.lookup(export).is_some() {
            return Ok(bytes.to_vec());
        }
    }
    Err(format!(
        "no executable of the module has the export {export}"
    ))
}

/// What the manifest says about a dispatch must be what the compiler decided.
fn check_dispatch(dispatch: &Dispatch, export: &Export<'_>) -> Result<(), String> {
    let said = (Some(dispatch.workgroup_size), dispatch.dynamic_lds_bytes);
    let found = (export.workgroup_size, export.dynamic_lds_bytes);
    if said != found {
        return Err(format!(
            "{}: workgroup size and dynamic LDS are {found:?}, the manifest says {said:?}",
            dispatch.export
        ));
    }
    let said = (dispatch.constants.len(), dispatch.bindings.len());
    if let (Some(constants), Some(bindings)) = (export.constant_count, &export.bindings)
        && said != (constants as usize, bindings.len())
    {
        return Err(format!(
            "{}: it takes {constants} constants and {} bindings, the manifest gives {said:?}",
            dispatch.export,
            bindings.len()
        ));
    }
    Ok(())
}

/// An output that the manifest gives itself.
fn check_output(buffer: &Buffer, bytes: &[u8]) -> Result<(), String> {
    if let Some(expected) = &buffer.fnv1a64 {
        let found = data::fnv1a64(bytes);
        if *expected != found {
            return Err(format!(
                "the hash of {} is {found}, the manifest says {expected}",
                buffer.name
            ));
        }
    } else if data::contents(buffer)? != bytes {
        return Err(format!(
            "the manifest gives other values for {} than the CPU runtime",
            buffer.name
        ));
    }
    Ok(())
}

impl Case {
    fn inputs(&self) -> impl Iterator<Item = &Buffer> {
        self.buffers
            .iter()
            .filter(|buffer| buffer.role == Role::Input)
    }

    fn outputs(&self) -> impl Iterator<Item = &Buffer> {
        self.buffers
            .iter()
            .filter(|buffer| buffer.role == Role::Output)
    }
}

/// A folder for intermediate files, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Scratch, String> {
        let path = std::env::temp_dir().join(format!("hipstream-fixtures-{}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Scratch(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A folder that stays behind in the system's temporary folder is no reason to fail.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What can be checked without the compilers.
    #[test]
    fn the_files_are_what_the_manifest_says() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
        let manifest = Manifest::read(&folder.join("manifest.json")).unwrap();
        let read = |name: &str| {
            std::fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
        };
        for program in &manifest.programs {
            for target in &program.targets {
                let name = format!("{target}/{}.vmfb", program.name);
                Archive::parse(&read(&name)).unwrap_or_else(|error| panic!("{name}: {error}"));
            }
        }
        for archive in &manifest.parameters {
            assert!(read(&archive.file).starts_with(b"IRPA"), "{}", archive.file);
        }
        for case in &manifest.cases {
            for buffer in case.inputs().filter(|buffer| buffer.file.is_some()) {
                let file = buffer.file.as_ref().unwrap();
                let made = data::npy(buffer, &data::contents(buffer).unwrap());
                assert!(read(file) == made, "{file} does not follow its rule");
            }
            for run in &case.runs {
                for dispatch in &run.dispatches {
                    let container = read(&dispatch.executable);
                    let executable = Executable::parse(&container).unwrap();
                    let export = &executable.exports[executable.lookup(&dispatch.export).unwrap()];
                    check_dispatch(dispatch, export).unwrap();
                    if let Some(module) = &run.module {
                        assert!(
                            executable_with(&read(module), &dispatch.export).unwrap() == container,
                            "{module}"
                        );
                    }
                    if let Some(code_object) = &run.code_object {
                        assert!(
                            read(code_object) == executable.image_of(export),
                            "{code_object}"
                        );
                    }
                }
            }
        }
    }
}
