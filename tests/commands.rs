//! The commands around the engine: the state, workspaces, the environment, events beside the
//! output.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends where its case does not hold"
)]

mod program;

use std::path::Path;

use program::{Folder, Run};
use serde_json::Value as Json;

const CONFIGURATION: &str = r#"
variable "size" {
  type    = number
  default = 1
}

variable "password" {
  type      = string
  default   = "hunter2"
  sensitive = true
}

resource "isobar_data" "a" {
  input = var.size
}

resource "isobar_data" "b" {
  count = 2
  input = isobar_data.a.output
}

resource "isobar_data" "secret" {
  input = var.password
}

output "workspace" {
  value = isobar.workspace
}
"#;

const STATE: &str = "isobar.state.json";

/// A folder with what `CONFIGURATION` makes.
fn applied() -> Folder {
    let folder = Folder::new(&[("main.hcl", CONFIGURATION)]);
    folder.run(&["apply", "-auto-approve"]).ended(0);
    folder
}

fn json(text: &str) -> Json {
    serde_json::from_str(text).unwrap()
}

fn read(folder: &Folder, file: &str) -> String {
    std::fs::read_to_string(folder.path(file)).unwrap()
}

fn state(folder: &Folder, file: &str) -> Json {
    json(&read(folder, file))
}

fn listed(folder: &Folder, arguments: &[&str]) -> Vec<String> {
    let all = [&["state", "list"], arguments].concat();
    let run = folder.run(&all);
    run.ended(0).lines().map(str::to_owned).collect()
}

/// Runs with variables of the environment.
fn with(folder: &Folder, variables: &[(&str, &str)], arguments: &[&str]) -> Run {
    let mut program = folder.program(arguments);
    program.envs(variables.iter().copied());
    Run::of(&program.output().unwrap())
}

#[test]
fn what_was_moved_is_not_planned_again() {
    let folder = applied();
    let before = state(&folder, STATE);
    let run = folder.run(&["state", "mv", "-dry-run", "isobar_data.b", "isobar_data.c"]);
    assert!(
        run.ended(0)
            .starts_with("Would move isobar_data.b[0] to isobar_data.c[0]\n")
    );
    assert_eq!(state(&folder, STATE), before);
    folder
        .run(&["state", "mv", "isobar_data.b", "isobar_data.c"])
        .ended(0);
    let after = state(&folder, STATE);
    assert_eq!(after["lineage"], before["lineage"]);
    assert_eq!(after["serial"], before["serial"].as_u64().unwrap() + 1);
    let renamed = CONFIGURATION.replace("\"b\"", "\"c\"");
    folder.write("main.hcl", &renamed);
    folder.run(&["plan", "-detailed-exitcode"]).ended(0);
}

#[test]
fn a_refused_move_leaves_every_byte() {
    let folder = applied();
    let before = read(&folder, STATE);
    for (from, to, code) in [
        ("isobar_data.x", "isobar_data.y", "C0026"),
        ("isobar_data.a", "isobar_data.b[0]", "C0040"),
        ("isobar_data.b", "isobar_data.a", "C0040"),
        ("isobar_data.a", "module.m", "C0041"),
        ("isobar_data.a", "sim_replica_pool.a", "C0041"),
        ("isobar_data.b", "isobar_data.c[0]", "C0041"),
    ] {
        folder.run(&["state", "mv", from, to]).failed_with(&[code]);
    }
    folder
        .run(&["state", "rm", "isobar_data.a", "isobar_data.x"])
        .failed_with(&["C0026", "isobar_data.x"]);
    assert_eq!(read(&folder, STATE), before);
}

#[test]
fn what_moves_into_another_state_is_in_one_of_them() {
    let folder = applied();
    let arguments = [
        "state",
        "mv",
        "-state-out=other.json",
        "isobar_data.b",
        "module.m.isobar_data.b",
    ];
    folder.run(&arguments).ended(0);
    let moved = ["module.m.isobar_data.b[0]", "module.m.isobar_data.b[1]"];
    assert_eq!(listed(&folder, &["-state=other.json"]), moved);
    assert_eq!(
        listed(&folder, &[]),
        ["isobar_data.a", "isobar_data.secret"]
    );
    let (one, other) = (state(&folder, STATE), state(&folder, "other.json"));
    assert_ne!(one["lineage"], other["lineage"]);
    let before = (read(&folder, STATE), read(&folder, "other.json"));
    let taken = [
        &arguments[..3],
        &["isobar_data.a", "module.m.isobar_data.b[0]"],
    ]
    .concat();
    folder.run(&taken).failed_with(&["C0040"]);
    assert_eq!((read(&folder, STATE), read(&folder, "other.json")), before);
}

#[test]
fn what_was_removed_is_planned_anew() {
    let folder = applied();
    let run = folder.run(&["state", "rm", "-dry-run", "isobar_data.b", "isobar_data.x"]);
    assert_eq!(
        run.ended(0),
        "Would remove isobar_data.b[0]\nWould remove isobar_data.b[1]\n"
    );
    folder.run(&["state", "rm", "isobar_data.b"]).ended(0);
    let run = folder.run(&["plan"]);
    assert!(
        run.ended(0).contains("2 to add, 0 to change, 0 to destroy"),
        "{}",
        run.out
    );
}

#[test]
fn a_pushed_state_must_be_a_later_version_of_the_same() {
    let folder = applied();
    let pulled = folder.run(&["state", "pull"]).ended(0).to_owned();
    assert_eq!(json(&pulled), state(&folder, STATE));
    folder.write("same.json", &pulled);
    folder.run(&["state", "push", "same.json"]).ended(0);
    let serial = json(&pulled)["serial"].as_u64().unwrap();
    let changed = |key: &str, value: Json| {
        let mut document = json(&pulled);
        document[key] = value;
        document.as_object_mut().unwrap().remove("digest");
        document.to_string()
    };
    folder.write("old.json", &changed("serial", (serial - 1).into()));
    folder.write("alien.json", &changed("lineage", "alien".into()));
    folder.write("other.json", &changed("resources", json("[]")));
    folder.write("later.json", &changed("serial", (serial + 7).into()));
    for file in ["old.json", "alien.json", "other.json"] {
        folder
            .run(&["state", "push", file])
            .failed_with(&["C0052", file, "-force"]);
        assert_eq!(read(&folder, STATE), pulled);
    }
    folder.run(&["state", "push", "later.json"]).ended(0);
    assert_eq!(state(&folder, STATE)["serial"], serial + 7);
    folder
        .run(&["state", "push", "-force", "alien.json"])
        .ended(0);
    assert_eq!(state(&folder, STATE)["lineage"], "alien");
    folder.write("broken.json", "{ broken");
    folder
        .run(&["state", "push", "broken.json"])
        .failed_with(&["C0051", "broken.json"]);
}

#[test]
fn what_is_tainted_is_replaced_until_it_is_untainted() {
    let folder = applied();
    folder.run(&["taint", "isobar_data.a"]).ended(0);
    let run = folder.run(&["plan", "-concise"]);
    assert!(
        run.ended(0)
            .contains("isobar_data.a   # because it is tainted"),
        "{}",
        run.out
    );
    let shown = json(
        folder
            .run(&["state", "show", "-json", "isobar_data.a"])
            .ended(0),
    );
    assert_eq!(shown["tainted"], true);
    folder.run(&["untaint", "isobar_data.a"]).ended(0);
    folder.run(&["plan", "-detailed-exitcode"]).ended(0);
    folder
        .run(&["untaint", "isobar_data.a"])
        .failed_with(&["C0053"]);
    folder
        .run(&["taint", "isobar_data.b"])
        .failed_with(&["C0026"]);
    let run = folder.run(&["taint", "-allow-missing", "isobar_data.b"]);
    run.ended(0);
    assert!(run.err.contains("C0026"), "{}", run.err);
}

#[test]
fn resources_are_handed_over_to_a_provider_that_has_their_type() {
    let folder = applied();
    let before = read(&folder, STATE);
    let replace = |from: &str, to: &str| {
        folder.run(&["state", "replace-provider", "-auto-approve", from, to])
    };
    replace("isobar", "sim").failed_with(&["C0042", "isobar_data"]);
    replace("isobar", "simm").failed_with(&["C0042", "Did you mean \"sim\"?"]);
    assert!(replace("sim", "isobar").ended(0).contains("No resource"));
    folder
        .run(&["state", "replace-provider", "isobar", "isobar"])
        .failed_with(&["C0084", "do it at once with -auto-approve"]);
    assert_eq!(read(&folder, STATE), before);
    let mut renamed = json(&before.replace("\"isobar\"", "\"old\""));
    // What is edited on purpose has no digest.
    renamed.as_object_mut().unwrap().remove("digest");
    folder.write(STATE, &renamed.to_string());
    assert!(replace("old", "isobar").ended(0).contains("4 resources"));
    folder.run(&["plan", "-detailed-exitcode"]).ended(0);
}

#[test]
fn the_state_is_listed_by_address_and_id() {
    let folder = applied();
    assert_eq!(listed(&folder, &["isobar_data.b[1]"]), ["isobar_data.b[1]"]);
    let shown = json(
        folder
            .run(&["state", "show", "-json", "isobar_data.a"])
            .ended(0),
    );
    let id = format!("-id={}", shown["values"]["id"].as_str().unwrap());
    assert_eq!(listed(&folder, &[&id]), ["isobar_data.a"]);
    assert!(listed(&folder, &["-id=none"]).is_empty());
    let run = folder.run(&["state", "show", "-json", "isobar_data.secret"]);
    assert!(!run.ended(0).contains("hunter2"), "{}", run.out);
}

#[test]
fn every_workspace_has_a_state_of_its_own() {
    let folder = applied();
    assert_eq!(folder.run(&["workspace", "show"]).ended(0), "default\n");
    folder.run(&["workspace", "new", "staging"]).ended(0);
    assert_eq!(
        folder.run(&["workspace", "list"]).ended(0),
        "  default\n* staging\n"
    );
    folder.run(&["state", "list"]).failed_with(&["C0025"]);
    folder.run(&["apply", "-auto-approve"]).ended(0);
    let output = ["output", "-raw", "workspace"];
    assert_eq!(folder.run(&output).ended(0), "staging");
    assert!(
        folder
            .path("isobar.state.d/staging/isobar.state.json")
            .is_file()
    );
    folder.run(&["workspace", "select", "default"]).ended(0);
    assert_eq!(folder.run(&output).ended(0), "default");
    let variables = [("ISOBAR_WORKSPACE", "staging")];
    assert_eq!(with(&folder, &variables, &output).ended(0), "staging");
    for arguments in [
        &["workspace", "select", "default"][..],
        &["workspace", "new", "x"],
    ] {
        with(&folder, &variables, arguments).failed_with(&["C0046", "ISOBAR_WORKSPACE"]);
    }
    folder
        .run(&["workspace", "delete", "staging"])
        .failed_with(&["C0048", "isobar_data.a", "-force"]);
    folder
        .run(&["workspace", "delete", "-force", "staging"])
        .ended(0);
    assert!(!folder.path("isobar.state.d/staging").exists());
}

#[test]
fn workspaces_are_made_and_deleted_with_care() {
    let folder = applied();
    for (arguments, words) in [
        (&["select", "stagin"][..], &["C0043", "-or-create"][..]),
        (&["delete", "stagin"], &["C0043"]),
        (&["delete", "default"], &["C0047"]),
        (&["new", "default"], &["C0044"]),
        (&["new", "a/b"], &["C0045"]),
        (&["new", ".."], &["C0045"]),
        (&["new", "x", "-state=none.json"], &["C0009"]),
    ] {
        let all = [&["workspace"], arguments].concat();
        folder.run(&all).failed_with(words);
    }
    assert!(!folder.path("isobar.state.d").exists());
    folder
        .run(&["workspace", "select", "-or-create", "one"])
        .ended(0);
    folder
        .run(&["workspace", "delete", "one"])
        .failed_with(&["C0047"]);
    folder
        .run(&["workspace", "new", "-state=isobar.state.json", "two"])
        .ended(0);
    assert_eq!(listed(&folder, &[]).len(), 4);
    let (here, there) = (
        state(&folder, "isobar.state.d/two/isobar.state.json"),
        state(&folder, STATE),
    );
    assert_ne!(here["lineage"], there["lineage"]);
    folder.run(&["workspace", "delete", "one"]).ended(0);
    folder.write(".isobar/workspace", "../x");
    folder.run(&["plan"]).failed_with(&["C0045"]);
}

#[test]
fn a_plan_belongs_to_its_workspace() {
    let folder = Folder::new(&[("main.hcl", CONFIGURATION)]);
    folder.run(&["plan", "-out=p.plan"]).ended(0);
    folder.run(&["workspace", "new", "other"]).ended(0);
    folder
        .run(&["apply", "p.plan"])
        .failed_with(&["C0050", "default", "other"]);
    folder.run(&["workspace", "select", "default"]).ended(0);
    folder.run(&["apply", "p.plan"]).ended(0);
}

#[test]
fn the_environment_adds_arguments() {
    let folder = Folder::new(&[("main.hcl", CONFIGURATION)]);
    let variables = [
        ("ISOBAR_CLI_ARGS", "-no-color"),
        ("ISOBAR_CLI_ARGS_plan", "-var 'size=7' -detailed-exitcode"),
    ];
    let run = with(&folder, &variables, &["plan"]);
    assert!(run.ended(2).contains("input  = 7"), "{}", run.out);
    let run = with(&folder, &variables, &["plan", "-var=size=8"]);
    assert!(run.ended(2).contains("input  = 8"), "{}", run.out);
    with(&folder, &variables, &["validate"]).ended(0);
    let open = [("ISOBAR_CLI_ARGS_plan", "'open")];
    with(&folder, &open, &["plan"]).failed_with(&["C0055", "ISOBAR_CLI_ARGS_plan"]);
    let quiet = [("ISOBAR_IN_AUTOMATION", "1")];
    let run = with(&folder, &quiet, &["plan", "-out=p.plan"]);
    assert!(!run.ended(0).contains("isobar apply"), "{}", run.out);
    let data = [("ISOBAR_DATA_DIR", "elsewhere")];
    with(&folder, &data, &["workspace", "new", "w"]).ended(0);
    assert_eq!(read(&folder, "elsewhere/workspace"), "w");
}

#[test]
fn the_log_has_what_happens_and_no_secrets() {
    let folder = Folder::new(&[("main.hcl", CONFIGURATION)]);
    let path = folder.path("trace.log").display().to_string();
    let variables = [("ISOBAR_LOG", "trace"), ("ISOBAR_LOG_PATH", path.as_str())];
    let run = with(&folder, &variables, &["apply", "-auto-approve"]);
    run.ended(0);
    let log = read(&folder, "trace.log");
    for words in [
        "[INFO] isobar ",
        "[DEBUG] state: none in",
        "[DEBUG] isobar_data.a: Creating...",
        "[INFO] ended: Success",
    ] {
        assert!(log.contains(words), "{words}\n{log}");
    }
    assert!(!log.contains("hunter2"), "{log}");
    assert!(!run.err.contains("[DEBUG]"), "{}", run.err);
    let run = with(&folder, &[("ISOBAR_LOG", "info")], &["output"]);
    assert!(
        run.err.contains("[INFO]") && !run.err.contains("[DEBUG]"),
        "{}",
        run.err
    );
    let nowhere = [("ISOBAR_LOG", "info"), ("ISOBAR_LOG_PATH", "none/x.log")];
    let run = with(&folder, &nowhere, &["output"]);
    run.ended(0);
    assert!(run.err.contains("C0056"), "{}", run.err);
}

#[test]
fn events_go_into_a_file_beside_the_output() {
    let folder = Folder::new(&[("main.hcl", CONFIGURATION)]);
    let run = folder.run(&["apply", "-auto-approve", "-json-into=events.json"]);
    assert!(run.ended(0).contains("Apply complete!"), "{}", run.out);
    let text = read(&folder, "events.json");
    let kinds: Vec<String> = text
        .lines()
        .map(|line| json(line)["type"].as_str().unwrap().to_owned())
        .collect();
    for kind in [
        "version",
        "planned_change",
        "change_summary",
        "apply_complete",
        "outputs",
    ] {
        assert!(kinds.iter().any(|found| found == kind), "{kind}\n{text}");
    }
    assert!(!text.contains("hunter2"), "{text}");
    folder.write("main.hcl", "locals {\n  a = b.c\n}\n");
    folder.run(&["plan", "-json-into=events.json"]).ended(1);
    let text = read(&folder, "events.json");
    assert!(text.contains("\"type\":\"diagnostic\""), "{text}");
    folder
        .run(&["plan", "-json-into=none/events.json"])
        .failed_with(&["C0057", "none/events.json"]);
}

#[test]
fn refresh_records_what_is_there() {
    let folder = applied();
    let run = folder.run(&["refresh"]);
    assert!(run.ended(0).contains("No changes"), "{}", run.out);
    let event = folder.run(&["refresh", "-json"]);
    assert_eq!(
        json(event.ended(0).lines().next().unwrap())["type"],
        "version"
    );
}

#[test]
fn shells_get_their_completions() {
    let folder = Folder::new(&[]);
    for (shell, words) in [
        ("bash", "_isobar"),
        ("zsh", "#compdef isobar"),
        ("fish", "complete -c isobar"),
        ("powershell", "Register-ArgumentCompleter"),
        ("elvish", "edit:completion"),
    ] {
        let run = folder.run(&["completions", shell]);
        assert!(run.ended(0).contains(words), "{shell}");
        assert!(run.out.contains("replace-provider"), "{shell}");
    }
    folder
        .run(&["completions", "csh"])
        .failed_with(&["csh", "zsh"]);
}

#[test]
fn a_lock_that_is_held_stops_every_change_of_the_state() {
    let folder = applied();
    let before = read(&folder, STATE);
    let file = std::fs::File::options()
        .write(true)
        .open(folder.path(".isobar/lock"))
        .unwrap();
    file.lock().unwrap();
    folder.write("later.json", &before);
    for arguments in [
        &["state", "mv", "isobar_data.a", "isobar_data.z"][..],
        &["state", "rm", "isobar_data.a"],
        &["state", "push", "-force", "later.json"],
        &["taint", "isobar_data.a"],
        &["refresh"],
    ] {
        folder.run(arguments).failed_with(&["S0001"]);
    }
    assert_eq!(read(&folder, STATE), before);
    assert!(Path::new(&folder.path(STATE)).is_file());
}

#[test]
fn graphs_show_what_rests_on_what() {
    let folder = applied();
    let edges = |arguments: &[&str]| -> Vec<String> {
        let run = folder.run(&[&["graph"], arguments].concat());
        let lines = run.ended(0).lines().filter(|line| line.contains(" -> "));
        lines.map(|line| line.trim().to_owned()).collect()
    };
    assert_eq!(edges(&[]), ["\"isobar_data.b\" -> \"isobar_data.a\";"]);
    let names = "\"isobar_data.a\" -> \"var.size\";".to_owned();
    assert!(edges(&["-type=plan"]).contains(&names));
    assert!(edges(&["-type=plan-refresh-only"]).contains(&names));
    assert_eq!(
        edges(&["-type=plan-destroy"]),
        [
            "\"isobar_data.a\" -> \"isobar_data.b[0]\";",
            "\"isobar_data.a\" -> \"isobar_data.b[1]\";"
        ]
    );
    folder.run(&["plan", "-destroy", "-out=p.plan"]).ended(0);
    let steps = "\"isobar_data.a (destroy)\" -> \"isobar_data.b[0] (destroy)\";".to_owned();
    assert!(edges(&["-plan=p.plan"]).contains(&steps));
    assert!(edges(&["-type=apply", "-plan=p.plan"]).contains(&steps));
    folder
        .run(&["graph", "-type=apply"])
        .failed_with(&["C0058", "-plan=FILE"]);
    folder
        .run(&["graph", "-type=picture"])
        .failed_with(&["picture", "plan-destroy"]);
}

#[test]
fn providers_are_told_by_module_and_by_schema() {
    let folder = applied();
    std::fs::create_dir(folder.path("m")).unwrap();
    folder.write("m/main.hcl", "resource \"isobar_data\" \"x\" {}\n");
    let more = "module \"m\" {\n  source = \"./m\"\n}\n";
    folder.write("more.hcl", more);
    assert_eq!(
        folder.run(&["providers"]).ended(0),
        "Providers of the configuration:\n.\n├── provider isobar\n└── module.m\n    └── provider isobar\n\nProviders of the state:\n  provider isobar\n"
    );
    let document = json(folder.run(&["providers", "schema", "-json"]).ended(0));
    assert_eq!(document["format_version"], "1.0");
    let attributes = &document["provider_schemas"]["isobar"]["resource_schemas"]["isobar_data"]["block"]
        ["attributes"];
    assert_eq!(attributes["id"]["computed"], true);
    assert_eq!(attributes["input"]["optional"], true);
    assert_eq!(attributes["input"]["type"], "dynamic");
    folder
        .run(&["providers", "schema"])
        .failed_with(&["C0054", "-json"]);
    let all = json(
        Folder::new(&[])
            .run(&["providers", "schema", "-json"])
            .ended(0),
    );
    for name in ["isobar", "local", "sim"] {
        assert!(all["provider_schemas"][name].is_object(), "{name}");
    }
}

const POLICY: &str = r#"
variable "effect" {
  type    = string
  default = "Allow"
}

resource "isobar_data" "policy" {
  input = jsonencode({ Version = 1, Statement = [{ Effect = var.effect, Action = ["a", "b"] }] })
}

resource "isobar_data" "settings" {
  input = yamlencode({ replicas = 2, image = { name = "x", mode = var.effect } })
}
"#;

#[test]
fn documents_in_texts_show_where_they_change() {
    let folder = Folder::new(&[("main.hcl", POLICY)]);
    folder.run(&["apply", "-auto-approve"]).ended(0);
    let run = folder.run(&["plan", "-var=effect=Deny"]);
    let lines = run.ended(0).lines();
    let stable: Vec<&str> = lines
        .filter(|line| !line.trim_start().starts_with("id "))
        .collect();
    insta::assert_snapshot!("plan_of_documents", stable.join("\n"));
}

#[test]
fn a_replacement_tells_what_it_follows() {
    let configuration = r#"
variable "size" { default = 1 }

resource "isobar_data" "base" { triggers_replace = var.size }

module "middle" {
  source = "./middle"
  from   = isobar_data.base.id
}

resource "isobar_data" "top" {
  triggers_replace = module.middle.id
}

resource "isobar_data" "beside" {
  lifecycle { replace_triggered_by = [isobar_data.base] }
}
"#;
    let middle = r#"
variable "from" {}
locals { from = "${var.from}!" }
resource "isobar_data" "each" {
  count = 2
  input = local.from
}
output "id" { value = isobar_data.each[0].output }
"#;
    let folder = Folder::new(&[("main.hcl", configuration), ("middle/main.hcl", middle)]);
    folder.run(&["apply", "-auto-approve"]).ended(0);
    let plan = folder.run(&["plan", "-concise", "-var", "size=2"]);
    insta::assert_snapshot!(plan.ended(0));
}

#[test]
fn the_environment_of_a_model_may_hold_secrets_and_nothing_else_of_it() {
    let configuration = |attribute: &str| {
        format!(
            r#"
variable "secret" {{
  sensitive = true
  default   = "hunter2"
}}

model "m" {{
  command = ["true"]
  version = "1"
  {attribute}

  performance {{
    service_time = "10ms"
  }}
}}

zone "here" {{
  provider = local
}}

deployment "d" {{
  model    = model.m
  zones    = [zone.here]
  replicas = {{ here = 1 }}
}}
"#
        )
    };
    let environment = configuration("environment = { TOKEN = var.secret }");
    let folder = Folder::new(&[("main.hcl", &environment)]);
    let run = folder.run(&["plan"]);
    assert!(
        run.ended(0).contains("\"TOKEN\" = (sensitive value)") && !run.out.contains("hunter2"),
        "{}",
        run.out
    );
    folder.write("main.hcl", &configuration("artifact = var.secret"));
    folder.run(&["plan"]).failed_with(&["P0017"]);
}

#[test]
fn a_minimal_refresh_is_told_and_does_not_go_with_others() {
    let folder = applied();
    folder.write(
        "main.hcl",
        &CONFIGURATION.replace("default = 1", "default = 2"),
    );
    let note = "Note: -minimal-refresh: only what would change was read.";
    for command in [
        &["plan", "-minimal-refresh", "-out=plan"][..],
        &["plan", "-minimal-refresh", "-concise"],
        &["show", "plan"],
    ] {
        let run = folder.run(command);
        assert!(run.ended(0).contains(note), "{command:?}: {}", run.out);
    }
    let shown = json(folder.run(&["show", "-json", "plan"]).ended(0));
    assert_eq!(shown["refresh"], "minimal");
    for (command, code, expected) in [
        (
            &["plan", "-minimal-refresh", "-refresh=false"][..],
            1,
            "cannot be used with",
        ),
        (
            &["apply", "-minimal-refresh", "-refresh-only"],
            1,
            "cannot be used with",
        ),
        (&["refresh", "-minimal-refresh"], 1, "[C0100]"),
        (&["apply", "-minimal-refresh", "plan"], 1, "[C0020]"),
    ] {
        let run = folder.run(command);
        run.ended(code);
        assert!(run.err.contains(expected), "{command:?}: {}", run.err);
    }
    for command in ["apply", "destroy"] {
        let run = folder.run(&[command, "-auto-approve", "-minimal-refresh"]);
        assert!(run.ended(0).contains(note), "{command}: {}", run.out);
    }
    let run = folder.run(&["plan", "-minimal-refresh", "-json"]);
    assert!(run.ended(0).contains(note), "{}", run.out);
}
