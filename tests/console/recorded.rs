//! What the console knows of resources and modules, before an apply, after it, and after a change
//! of the configuration, in `testdata/recall`; the same of the real program where it is there.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::program::{Folder, Run};
use crate::terraform::{Terraform, in_terraform};

const QUESTIONS: &str = "questions.txt";
const SECRETS: [&str; 2] = ["needed=n", "secret=s"];
/// Each with the file that the configuration is then, and whether it has been applied.
const STAGES: [(&str, &str, bool); 3] = [
    ("never", "main.hcl", false),
    ("applied", "main.hcl", true),
    ("changed", "changed.hcl", true),
];

fn place() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/recall")
}

fn data(name: &str) -> String {
    std::fs::read_to_string(place().join(name)).unwrap()
}

/// How a console is asked at a stage, and the file of its answers: of what is recorded, and of what
/// is planned.
fn ways(stage: &str) -> [(String, Vec<&'static str>); 2] {
    let [needed, secret] = SECRETS;
    let planned = vec!["console", "-plan", "-var", needed, "-var", secret];
    [
        (format!("{stage}.txt"), vec!["console"]),
        (format!("{stage}.plan.txt"), planned),
    ]
}

/// A folder with the configuration of a stage, and what is asked.
fn folder(of: &dyn Fn(&str) -> String, ending: &str) -> Folder {
    let folder = Folder::new(&[]);
    folder.write(&format!("main.{ending}"), &of(&data("main.hcl")));
    folder.write(&format!("m/main.{ending}"), &of(&data("m/main.hcl")));
    // As one, because Terraform answers the last line of a pipe only.
    let questions: Vec<String> = data(QUESTIONS).lines().map(str::to_owned).collect();
    folder.write(QUESTIONS, &of(&format!("[{}]\n", questions.join(", "))));
    folder
}

fn ask(mut console: Command, folder: &Folder) -> Run {
    let questions = std::fs::File::open(folder.path(QUESTIONS)).unwrap();
    Run::of(&console.stdin(questions).output().unwrap())
}

#[test]
fn it_knows_what_is_recorded_and_what_follows_from_it() {
    let folder = folder(&str::to_owned, "hcl");
    for (stage, text, applied) in STAGES {
        if applied && stage != "changed" {
            let [needed, secret] = SECRETS;
            let apply = ["apply", "-auto-approve", "-var", needed, "-var", secret];
            folder.run(&apply).ended(0);
        }
        folder.write("main.hcl", &data(text));
        for (name, arguments) in ways(stage) {
            let run = ask(folder.program(&arguments), &folder);
            assert_eq!(run.err, "", "{name}");
            if std::env::var_os("ISOBAR_RECORD").is_some() {
                std::fs::write(place().join(&name), run.ended(0)).unwrap();
            }
            assert_eq!(run.ended(0), data(&name), "{name}");
        }
    }
}

#[test]
fn terraform_knows_the_same() {
    if Terraform::find().is_none() {
        return;
    }
    let folder = folder(&in_terraform, "tf");
    let terraform = |arguments: &[&str]| {
        let mut command = Command::new("terraform");
        command.args(arguments).current_dir(folder.path("."));
        command.env("TF_CLI_CONFIG_FILE", "/dev/null");
        command.env("CHECKPOINT_DISABLE", "1");
        command.stdin(Stdio::null());
        command
    };
    Run::of(&terraform(&["init", "-no-color"]).output().unwrap()).ended(0);
    for (stage, text, applied) in STAGES {
        if applied && stage != "changed" {
            let [needed, secret] = SECRETS;
            let apply = ["apply", "-auto-approve", "-var", needed, "-var", secret];
            Run::of(&terraform(&apply).output().unwrap()).ended(0);
        }
        folder.write("main.tf", &in_terraform(&data(text)));
        let _ = Run::of(&terraform(&["get"]).output().unwrap());
        for (name, mut arguments) in ways(stage) {
            arguments.push("-no-color");
            let run = ask(terraform(&arguments), &folder);
            assert_eq!(run.ended(0), data(&name), "{name}");
        }
    }
}

const SOURCE: &str = r#"
data "isobar_remote_state" "other" {
  backend = "local"
  config  = { path = "other/isobar.state.json" }
}

data "isobar_remote_state" "open" {
  backend = "local"
  config  = { path = isobar_data.file.output }
}

resource "isobar_data" "file" {
  input = "other/isobar.state.json"
}
"#;

#[test]
fn data_sources_are_asked_where_their_configuration_is_known() {
    let folder = Folder::new(&[
        ("main.hcl", SOURCE),
        ("other/main.hcl", "output \"told\" {\n  value = 7\n}\n"),
        (
            QUESTIONS,
            "data.isobar_remote_state.other.outputs.told\ndata.isobar_remote_state.open.outputs\n",
        ),
    ]);
    folder
        .run(&["-chdir=other", "apply", "-auto-approve"])
        .ended(0);
    let run = ask(folder.program(&["console"]), &folder);
    assert_eq!(run.ended(0), "7\n(known after apply)\n");
    folder.run(&["apply", "-auto-approve"]).ended(0);
    let run = ask(folder.program(&["console"]), &folder);
    assert_eq!(run.ended(0), "7\n{\n  \"told\" = 7\n}\n");
}

#[test]
fn it_starts_whatever_is_wrong_and_writes_nothing() {
    let wrong = r#"
variable "small" {
  default = 3

  validation {
    condition     = var.small < 2
    error_message = "Too big."
  }
}

module "m" {
  source = "./m"
  given  = local.broken
}

data "isobar_remote_state" "gone" {
  backend = "local"
  config  = { path = "gone.json" }
}

locals {
  broken = tonumber("x")
  sound  = var.small + 1
}
"#;
    let asked = "local.sound\nmodule.m.plain\ndata.isobar_remote_state.gone.outputs\n1 + 1\n";
    let folder = Folder::new(&[
        ("main.hcl", wrong),
        ("m/main.hcl", &data("m/main.hcl")),
        (QUESTIONS, asked),
    ]);
    let run = ask(folder.program(&["console"]), &folder);
    assert_eq!(
        run.ended(0),
        "4\n(known after apply)\n(known after apply)\n2\n"
    );
    for told in ["Too big.", "tonumber", "gone.json", "not known here"] {
        assert!(run.err.contains(told), "{told}: {}", run.err);
    }
    let kept = std::fs::read_dir(folder.path(".")).unwrap();
    let kept = kept.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut kept: Vec<String> = kept.collect();
    kept.sort();
    assert_eq!(kept, ["m", "main.hcl", QUESTIONS]);
}

#[test]
fn names_in_a_circle_have_no_value() {
    let circle = "locals {\n  a = local.b\n  b = local.a\n}\n";
    let folder = Folder::new(&[("main.hcl", circle), (QUESTIONS, "local.a\n")]);
    ask(folder.program(&["console"]), &folder).failed_with(&["P0002", "local.a"]);
}

#[test]
fn a_deployment_has_the_replicas_that_its_plan_would_have() {
    let text = r#"
model "m" {
  artifact = "m.onnx"
  version  = "1"

  performance { service_time = "10ms" }
}

zone "here" {
  provider = local
}

deployment "d" {
  model    = model.m
  zones    = [zone.here]
  replicas = { here = 2 }
}
"#;
    let asked = "deployment.d.replicas\nzone.here.provider\n";
    let folder = Folder::new(&[("main.hcl", text), ("m.onnx", ""), (QUESTIONS, asked)]);
    let run = ask(folder.program(&["console"]), &folder);
    assert_eq!(run.ended(0), "tomap({\n  \"here\" = 2\n})\n\"local\"\n");
}

#[test]
fn a_plan_can_be_asked_about_too() {
    let folder = folder(&str::to_owned, "hcl");
    let [needed, secret] = SECRETS;
    let values = ["-var", needed, "-var", secret];
    let planned = folder.program(&[&["console", "-plan"], &values[..]].concat());
    folder.write(
        QUESTIONS,
        "isobar_data.one.input\nmodule.each[\"q\"].input\nlocal.on_needed\nisobar_data.one.id\n",
    );
    let run = ask(planned, &folder);
    let expected = "\"hello\"\n\"q\"\n\"n!\"\n(known after apply)\n";
    assert_eq!(run.ended(0), expected);
    assert!(!folder.path("isobar.state.json").exists());
    // A plan needs all that it needs.
    ask(folder.program(&["console", "-plan"]), &folder).failed_with(&["C0014"]);
}

#[test]
fn another_state_can_be_asked_about() {
    let folder = folder(&str::to_owned, "hcl");
    let [needed, secret] = SECRETS;
    let apply = ["apply", "-auto-approve", "-var", needed, "-var", secret];
    folder.run(&apply).ended(0);
    std::fs::rename(folder.path("isobar.state.json"), folder.path("old.json")).unwrap();
    folder.write(QUESTIONS, "isobar_data.one.input\n");
    let run = ask(folder.program(&["console", "-state=old.json"]), &folder);
    assert_eq!(run.ended(0), "\"hello\"\n");
    let run = ask(folder.program(&["console"]), &folder);
    assert_eq!(run.ended(0), "(known after apply)\n");
}
