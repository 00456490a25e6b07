//! How the editors' configurations go wrong.

use super::{Scene, scene};

fn cursor(scene: &Scene) -> std::path::PathBuf {
    let directory = scene.world.place.home.join(".cursor");
    std::fs::create_dir(&directory).unwrap();
    directory.join("mcp.json")
}

pub(in crate::doctor) fn editors_unregistered() -> Scene {
    let scene = scene();
    cursor(&scene);
    scene
}

pub(in crate::doctor) fn editor_program_missing() -> Scene {
    let scene = scene();
    let entry = r#"{"mcpServers": {"aic": {"command": "/nonexistent/aic-mcp"}}}"#;
    std::fs::write(cursor(&scene), entry).unwrap();
    scene
}

pub(in crate::doctor) fn editor_existing_server() -> Scene {
    let scene = scene();
    let entry = r#"{"mcpServers": {"ping": {"command": "npx", "args": ["-y", "@pingidentity/aic-mcp-server"]}}}"#;
    std::fs::write(cursor(&scene), entry).unwrap();
    scene
}

pub(in crate::doctor) fn editor_unreadable() -> Scene {
    let scene = scene();
    std::fs::write(cursor(&scene), "{").unwrap();
    scene.edit("s/.*/{}/")
}
