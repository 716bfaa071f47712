//! Where the provider finds its program and keeps its files.

use std::path::{Path, PathBuf};

use crate::registration::{Registry, component};

/// What the command line tells the provider about its surroundings.
#[derive(Debug, Clone)]
pub struct Runtime {
    /// The `isobar` program, for `serve` and `gateway`.
    pub executable: PathBuf,
    /// The data folder `.isobar` of the configuration, as an absolute path that stays the same
    /// from command to command. Configurations and workspaces that share it must not deploy the
    /// same name to the same zone.
    pub root: PathBuf,
    /// The folder of the configuration: relative artifacts are looked up in it, and processes
    /// run in it.
    pub base: PathBuf,
}

impl Runtime {
    /// Where this provider keeps everything.
    pub(crate) fn folder(&self) -> PathBuf {
        self.root.join("local")
    }

    /// Everything of one name in one zone.
    pub(crate) fn zone(&self, name: &str, zone: &str) -> PathBuf {
        self.folder().join(component(name)).join(component(zone))
    }

    /// The replicas of one version.
    pub(crate) fn replicas(&self, name: &str, zone: &str, version: &str) -> Registry {
        Registry::new(self.zone(name, zone).join(component(version)))
    }

    /// The gateway of one name in one zone; no version has this folder, see [`component`].
    pub(crate) fn gateway(&self, name: &str, zone: &str) -> Registry {
        Registry::new(self.zone(name, zone).join("_gateway"))
    }

    /// A path as the user knows it: relative to the configuration where it lies inside.
    pub(crate) fn shown(&self, path: &Path) -> String {
        let shown = path.strip_prefix(&self.base).unwrap_or(path);
        shown.display().to_string()
    }

    /// The file that an artifact names; `None` if it is not on this machine.
    pub(crate) fn artifact(&self, artifact: &str) -> Option<PathBuf> {
        let path = match artifact.strip_prefix("file://") {
            Some(path) => path,
            None if artifact.contains("://") => return None,
            None => artifact,
        };
        Some(self.base.join(path))
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::Runtime;

    #[test]
    fn artifacts_are_files_below_the_configuration_or_absolute() {
        let runtime = Runtime {
            executable: "isobar".into(),
            root: "/c/.isobar".into(),
            base: "/c".into(),
        };
        for (artifact, path) in [
            ("m.onnx", Some("/c/m.onnx")),
            ("/m.onnx", Some("/m.onnx")),
            ("file:///m.onnx", Some("/m.onnx")),
            ("file://m.onnx", Some("/c/m.onnx")),
            ("s3://bucket/m.onnx", None),
        ] {
            assert_eq!(
                runtime.artifact(artifact),
                path.map(PathBuf::from),
                "{artifact}"
            );
        }
    }
}
