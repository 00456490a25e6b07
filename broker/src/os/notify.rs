//! Shows desktop notifications, on a thread of its own, so that a slow desktop holds nobody up.

use std::sync::mpsc::{SyncSender, sync_channel};

use tokio::sync::mpsc;

/// How many may wait to be shown: more than that is noise.
const QUEUE: usize = 16;

/// How long a notification with a button is kept: the session ends before.
#[cfg(target_os = "linux")]
const BUTTON_KEPT_MS: u32 = 5 * 60 * 1000;

/// One notification.
#[derive(Debug, Clone)]
pub struct Notice {
    /// Its title.
    pub title: String,
    /// Its text.
    pub text: String,
    /// A button's label, and where a press is told with the name it stands for.
    pub button: Option<(&'static str, mpsc::Sender<String>, String)>,
}

/// Shows notifications, or nothing where they are switched off.
#[derive(Debug, Clone)]
pub struct Notifier(Option<SyncSender<Notice>>);

impl Notifier {
    /// Switched off.
    pub fn silent() -> Self {
        Self(None)
    }

    /// Starts the thread.
    pub fn start() -> Self {
        let (queue, waiting) = sync_channel::<Notice>(QUEUE);
        let spawned = std::thread::Builder::new().name("notifications".to_owned()).spawn(move || {
            while let Ok(notice) = waiting.recv() {
                show(notice);
            }
        });
        Self(spawned.is_ok().then_some(queue))
    }

    /// Shows one: fixed words, a host and a user; never a code or a URL.
    pub fn show(&self, notice: Notice) {
        if let Some(queue) = &self.0 {
            let _ = queue.try_send(Notice { title: plain(&notice.title), text: plain(&notice.text), ..notice });
        }
    }
}

/// Without what a notification daemon could take for markup.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() && !"<>&".contains(*c)).collect()
}

/// Source: Desktop Notifications Specification 1.2, `actions`. The wait for a press has a thread of its own.
#[cfg(target_os = "linux")]
fn show(notice: Notice) {
    let mut shown = notify_rust::Notification::new();
    shown.appname("aic-broker").summary(&notice.title).body(&notice.text);
    let Some((label, pressed, name)) = notice.button else { return drop(shown.show()) };
    shown.action("renew", label).timeout(notify_rust::Timeout::Milliseconds(BUTTON_KEPT_MS));
    let Ok(handle) = shown.show() else { return };
    let _ = std::thread::Builder::new().name("notification button".to_owned()).spawn(move || {
        handle.wait_for_action(|action| {
            if action == "renew" {
                let _ = pressed.try_send(name);
            }
        });
    });
}

/// Elsewhere a press is told only to a program with a main loop of its own: the command stands for the button.
#[cfg(not(target_os = "linux"))]
fn show(notice: Notice) {
    let command = notice.button.map(|(_, _, name)| format!(" aic-broker login --tenant {name}")).unwrap_or_default();
    let text = format!("{}{command}", notice.text);
    let _ = notify_rust::Notification::new().appname("aic-broker").summary(&notice.title).body(&text).show();
}
