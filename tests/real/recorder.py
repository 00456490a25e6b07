"""A desktop without a screen: owns org.freedesktop.Notifications, writes each notification as a JSON line, presses a button when told.

Run by the distribution's own Python, which has python3-dbus and python3-gi. Follows the Desktop Notifications Specification 1.2.
A key of an action on standard input is a press of that button of the last notification.
"""
import json
import sys

import dbus
import dbus.service
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib

NAME = "org.freedesktop.Notifications"
# Why a notification closed: the program took it back.
TAKEN_BACK = 3


class Desktop(dbus.service.Object):
    last = 0

    @dbus.service.method(NAME, in_signature="susssasa{sv}i", out_signature="u")
    def Notify(self, program, replaces, icon, title, text, actions, hints, lasts_ms):
        self.last = int(replaces) or self.last + 1
        hints = {name: str(value) for name, value in hints.items()}
        print(json.dumps({"program": program, "icon": icon, "title": title, "text": text, "actions": actions, "hints": hints, "lasts_ms": lasts_ms}), flush=True)
        return self.last

    @dbus.service.method(NAME, in_signature="u")
    def CloseNotification(self, number):
        self.NotificationClosed(number, TAKEN_BACK)

    @dbus.service.method(NAME, out_signature="as")
    def GetCapabilities(self):
        return ["actions", "body"]

    @dbus.service.method(NAME, out_signature="ssss")
    def GetServerInformation(self):
        return "recorder", "tests", "1", "1.2"

    @dbus.service.signal(NAME, signature="us")
    def ActionInvoked(self, number, key):
        """Sent by its decorator."""

    @dbus.service.signal(NAME, signature="uu")
    def NotificationClosed(self, number, reason):
        """Sent by its decorator."""

    def press(self, *_):
        key = sys.stdin.readline().strip()
        if not key:
            sys.exit()
        self.ActionInvoked(self.last, key)
        return True


DBusGMainLoop(set_as_default=True)
connection = dbus.SessionBus()
owned = dbus.service.BusName(NAME, connection, do_not_queue=True)
desktop = Desktop(connection, "/org/freedesktop/Notifications")
GLib.io_add_watch(sys.stdin, GLib.IO_IN | GLib.IO_HUP, desktop.press)
print("ready", flush=True)
GLib.MainLoop().run()
