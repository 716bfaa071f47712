//! A pair of configurations, and what one of the two programs plans for it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Map, Value as Json, json};

/// One of the two programs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
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
pub(crate) struct Case {
    pub(crate) path: PathBuf,
    pub(crate) sections: BTreeMap<String, String>,
}

impl Case {
    pub(crate) fn read(path: PathBuf) -> Self {
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

    /// The case as it would stand in a file.
    pub(crate) fn text(&self) -> String {
        let sections = self.sections.iter();
        let sections = sections.map(|(name, text)| format!("-- {name} --\n{text}"));
        sections.collect()
    }

    pub(crate) fn name(&self) -> String {
        self.path
            .file_stem()
            .unwrap()
            .to_string_lossy()
            .into_owned()
    }

    pub(crate) fn recording(&self) -> PathBuf {
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
    pub(crate) fn outcome(&self, tool: Tool) -> Json {
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
            "-no-color".to_owned(),
        ];
        plan.extend(self.flags(tool, "plan"));
        let planned = run(tool, folder, &plan);
        let exit = planned.status.code();
        if exit == Some(1) {
            let cycle = told(&planned).contains("Error: Cycle");
            return json!({ "exit": 1, "cycle": cycle });
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
        // Terraform says of a creation that it was triggered, which has no meaning.
        if change["actions"] != json!(["create"]) {
            put("action_reason", &resource["action_reason"]);
        }
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

pub(crate) fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}
