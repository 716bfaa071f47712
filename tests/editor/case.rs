//! Cases of `testdata/editor`: texts with sections, as `-- main.hcl --`.

use std::path::{Path, PathBuf};

/// A text with sections.
pub(crate) struct Case {
    path: PathBuf,
    pub(crate) sections: Vec<Section>,
}

/// What stands below a title.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Section {
    pub(crate) title: String,
    pub(crate) text: String,
}

impl Case {
    /// All cases of a kind, in the order of their names.
    pub(crate) fn all(kind: &str) -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/editor");
        let entries = std::fs::read_dir(folder.join(kind)).unwrap();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        assert!(!paths.is_empty(), "no cases of {kind}");
        paths.into_iter().map(Self::read).collect()
    }

    fn read(path: PathBuf) -> Self {
        let mut sections: Vec<Section> = Vec::new();
        for line in std::fs::read_to_string(&path).unwrap().lines() {
            let title = line.strip_prefix("-- ").and_then(|l| l.strip_suffix(" --"));
            match (title, sections.last_mut()) {
                (Some(title), _) => sections.push(Section {
                    title: title.to_owned(),
                    text: String::new(),
                }),
                (None, Some(section)) => section.text.push_str(&format!("{line}\n")),
                (None, None) => panic!("{} begins with {line:?}", path.display()),
            }
        }
        Self { path, sections }
    }

    pub(crate) fn name(&self) -> &str {
        self.path.file_stem().unwrap().to_str().unwrap()
    }

    /// The sections whose titles are names of files.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        let sections = self.sections.iter();
        let files = sections.filter(|section| section.title.ends_with(".hcl"));
        files.map(|section| (section.title.as_str(), section.text.as_str()))
    }

    /// Holds the case against what came out, or writes that down.
    pub(crate) fn settle(&self, found: &[Section], wrong: &mut Vec<String>) {
        let written = |sections: &[Section]| -> String {
            let sections = sections.iter();
            sections
                .map(|section| format!("-- {} --\n{}", section.title, section.text))
                .collect()
        };
        if is_recording() {
            std::fs::write(&self.path, written(found)).unwrap();
        }
        for (expected, found) in self.sections.iter().zip(found) {
            if expected != found {
                let (title, text) = (&expected.title, &expected.text);
                let name = self.name();
                wrong.push(format!(
                    "{name}, {title}, expected:\n{text}found:\n{}",
                    found.text
                ));
            }
        }
    }
}

/// Whether what comes out is written down, to be read before it is committed.
pub(crate) fn is_recording() -> bool {
    std::env::var_os("ISOBAR_RECORD").is_some()
}
