//! Shows desktop notifications, on a thread of its own, so that a slow desktop holds nobody up.

use std::sync::mpsc::{SyncSender, sync_channel};

/// How many may wait to be shown: more than that is noise.
const QUEUE: usize = 16;

/// Shows notifications, or nothing where they are switched off.
#[derive(Debug, Clone)]
pub struct Notifier(Option<SyncSender<(String, String)>>);

impl Notifier {
    /// Switched off.
    pub fn silent() -> Self {
        Self(None)
    }

    /// Starts the thread.
    pub fn start() -> Self {
        let (queue, waiting) = sync_channel::<(String, String)>(QUEUE);
        let spawned = std::thread::Builder::new().name("notifications".to_owned()).spawn(move || {
            while let Ok((title, text)) = waiting.recv() {
                let _ = notify_rust::Notification::new().appname("aic-broker").summary(&title).body(&text).show();
            }
        });
        Self(spawned.is_ok().then_some(queue))
    }

    /// Shows one: fixed words, a host and a user; never a code or a URL.
    pub fn show(&self, title: &str, text: &str) {
        if let Some(queue) = &self.0 {
            let plain = |text: &str| text.chars().filter(|c| !c.is_control() && !"<>&".contains(*c)).collect::<String>();
            let _ = queue.try_send((plain(title), plain(text)));
        }
    }
}
