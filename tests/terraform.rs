//! Plans of pairs of configurations, held against those of Terraform.
//!
//! A case in `testdata/terraform` is a text with sections, `-- 1/main --` and so on: the first
//! configuration is applied, the second one is planned. It is written in Terraform's words and
//! translated for Isobar. Beside it stands what Terraform 1.11 plans, as recorded with
//! `ISOBAR_RECORD=1 cargo test --test terraform`; where `terraform` is on the path, every run checks
//! that the recordings are still what it says.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a broken case is to end the test"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;

use serde_json::{Map, Value as Json, json};

/// One of the two programs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tool {
    Isobar,
    Terraform,
}

impl Tool {
    const fn extension(self) -> &'static str {
        match self {
            Self::Isobar => "hcl",
            Self::Terraform => "tf",
        }
    }

    /// A text in the words of the tool.
    fn translate(self, text: &str) -> String {
        match self {
            Self::Isobar => text
                .replace("terraform.tfstate", "isobar.state.json")
                .replace("terraform", "isobar"),
            Self::Terraform => text.to_owned(),
        }
    }
}

/// A case: its sections by name.
struct Case {
    path: PathBuf,
    sections: BTreeMap<String, String>,
}

impl Case {
    fn read(path: PathBuf) -> Self {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut sections: BTreeMap<String, String> = BTreeMap::new();
        let mut current = String::new();
        for line in text.lines() {
            let name = line.strip_prefix("-- ").and_then(|l| l.strip_suffix(" --"));
            match name {
                Some(name) => current = name.to_owned(),
                None => {
                    let section = sections.entry(current.clone()).or_default();
                    section.push_str(line);
                    section.push('\n');
                }
            }
        }
        Self { path, sections }
    }

    fn name(&self) -> String {
        self.path
            .file_stem()
            .unwrap()
            .to_string_lossy()
            .into_owned()
    }

    fn recording(&self) -> PathBuf {
        self.path.with_extension("json")
    }

    fn flags(&self, tool: Tool, section: &str) -> Vec<String> {
        let text = self.sections.get(section).map_or("", String::as_str);
        let flags = text.split_whitespace();
        flags.map(|flag| tool.translate(flag)).collect()
    }

    /// Writes the files of a step in place of those of the step before.
    fn write(&self, tool: Tool, step: &str, folder: &Path) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let written = path.extension().is_some_and(|e| e == tool.extension());
            if written && path.is_file() {
                std::fs::remove_file(path).unwrap();
            }
        }
        let prefix = format!("{step}/");
        for (name, text) in &self.sections {
            let Some(file) = name.strip_prefix(&prefix) else {
                continue;
            };
            let (extension, text) = (tool.extension(), tool.translate(text));
            let path = folder.join(format!("{file}.{extension}"));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
    }

    /// Whether modules have to be installed, and the second step has files of its own.
    fn has(&self, part: &str) -> bool {
        self.sections
            .iter()
            .any(|(name, text)| name.starts_with(part) || text.contains(part))
    }

    /// What a tool plans for the second configuration after applying the first.
    fn outcome(&self, tool: Tool) -> Json {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        self.write(tool, "1", folder);
        if tool == Tool::Terraform && self.has("module") {
            run(tool, folder, &["get"]);
        }
        let mut apply = vec!["apply".to_owned(), "-auto-approve".to_owned()];
        apply.extend(self.flags(tool, "apply"));
        let applied = run(tool, folder, &apply);
        let fails = self.sections.contains_key("apply fails");
        let name = self.name();
        assert_eq!(
            applied.status.success(),
            !fails,
            "{name}: {}",
            told(&applied)
        );
        if self.has("2/") {
            self.write(tool, "2", folder);
            if tool == Tool::Terraform && self.has("module") {
                run(tool, folder, &["get"]);
            }
        }
        let mut plan = vec![
            "plan".to_owned(),
            "-out=p".to_owned(),
            "-detailed-exitcode".to_owned(),
        ];
        plan.extend(self.flags(tool, "plan"));
        let planned = run(tool, folder, &plan);
        let exit = planned.status.code();
        if exit == Some(1) {
            return json!({ "exit": 1 });
        }
        let shown = run(tool, folder, &["show", "-json", "p"]);
        assert!(shown.status.success(), "{}: {}", self.name(), told(&shown));
        let text = String::from_utf8(shown.stdout).unwrap();
        let text = match tool {
            Tool::Isobar => text
                .replace("isobar_data", "terraform_data")
                .replace("isobar_remote_state", "terraform_remote_state"),
            Tool::Terraform => text,
        };
        let document: Json = serde_json::from_str(&text).unwrap();
        let mut outcome = summary(&document);
        outcome["exit"] = json!(exit);
        outcome
    }
}

/// The parts of a plan that are compared.
fn summary(plan: &Json) -> Json {
    let mut changes = Map::new();
    for resource in plan["resource_changes"].as_array().into_iter().flatten() {
        let change = &resource["change"];
        let mut part = Map::new();
        let mut put = |name: &str, value: &Json| {
            let nothing = value.is_null() || *value == json!({});
            if !nothing {
                part.insert(name.to_owned(), value.clone());
            }
        };
        put("actions", &change["actions"]);
        put("action_reason", &resource["action_reason"]);
        put("previous_address", &resource["previous_address"]);
        put("replace_paths", &change["replace_paths"]);
        put("importing", &change["importing"]);
        put("after_unknown", &change["after_unknown"]);
        let mut address = resource["address"].as_str().unwrap().to_owned();
        if resource.get("deposed").is_some() {
            address += " (deposed)";
        }
        changes.insert(address, Json::Object(part));
    }
    let mut outputs = Map::new();
    for (name, output) in plan["output_changes"].as_object().into_iter().flatten() {
        outputs.insert(name.clone(), output["actions"].clone());
    }
    let mut checks = Map::new();
    for check in plan["checks"].as_array().into_iter().flatten() {
        let name = check["address"]["to_display"].as_str().unwrap().to_owned();
        checks.insert(name, check["status"].clone());
    }
    let mut summary = json!({ "changes": sorted(changes), "outputs": sorted(outputs) });
    if !checks.is_empty() {
        summary["checks"] = sorted(checks);
    }
    summary
}

fn sorted(map: Map<String, Json>) -> Json {
    let map: BTreeMap<String, Json> = map.into_iter().collect();
    serde_json::to_value(map).unwrap()
}

fn run(tool: Tool, folder: &Path, arguments: &[impl AsRef<str>]) -> Output {
    let program = match tool {
        Tool::Isobar => env!("CARGO_BIN_EXE_isobar"),
        Tool::Terraform => "terraform",
    };
    Command::new(program)
        .args(arguments.iter().map(AsRef::as_ref))
        .current_dir(folder)
        .env("TF_CLI_CONFIG_FILE", "/dev/null")
        .env("CHECKPOINT_DISABLE", "1")
        .env("TF_IN_AUTOMATION", "1")
        .env("NO_COLOR", "1")
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/terraform");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .collect();
    paths.sort();
    paths.into_iter().map(Case::read).collect()
}

/// Runs `work` for every case, two at a time; gives back what it complains of.
fn each(work: impl Fn(&Case) -> Option<String> + Sync) -> Vec<String> {
    let open = Mutex::new(cases());
    let found = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some(case) = open.lock().unwrap().pop() else {
                        return;
                    };
                    let complaint = work(&case);
                    found.lock().unwrap().extend(complaint);
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap();
    found.sort();
    found
}

fn compared(case: &Case, expected: &Json, actual: &Json, who: &str) -> Option<String> {
    let pretty = |json: &Json| serde_json::to_string_pretty(json).unwrap();
    (expected != actual).then(|| {
        let difference = similar::TextDiff::from_lines(&pretty(expected), &pretty(actual))
            .unified_diff()
            .to_string();
        format!("{}: - as recorded, + {who}\n{difference}", case.name())
    })
}

fn recorded(case: &Case) -> Json {
    let text = std::fs::read_to_string(case.recording());
    let text = text.unwrap_or_else(|_| panic!("{} has no recording", case.name()));
    serde_json::from_str(&text).unwrap()
}

#[test]
fn plans_are_those_of_terraform() {
    let complaints = each(|case| {
        let actual = case.outcome(Tool::Isobar);
        compared(case, &recorded(case), &actual, "Isobar")
    });
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn there_are_many_cases() {
    assert!(cases().len() >= 60, "{}", cases().len());
}

/// Runs only where `terraform` is on the path.
#[test]
fn recordings_are_what_terraform_plans() {
    let version = Command::new("terraform").arg("version").output();
    let there = version.is_ok_and(|output| told(&output).contains("Terraform v1.11"));
    if !there {
        return;
    }
    let record = std::env::var_os("ISOBAR_RECORD").is_some();
    let complaints = each(|case| {
        let actual = case.outcome(Tool::Terraform);
        if record {
            let text = serde_json::to_string_pretty(&actual).unwrap() + "\n";
            std::fs::write(case.recording(), text).unwrap();
        }
        compared(case, &recorded(case), &actual, "Terraform")
    });
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
