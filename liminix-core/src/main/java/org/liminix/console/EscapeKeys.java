package org.liminix.console;

import java.io.ByteArrayOutputStream;
import java.io.IOException;

/** Tells the keys that are meant for the attachment itself from those that go to the far end. */
final class EscapeKeys {
  static final byte LEAVE = 0x0f; // ^O
  static final byte NEXT = 0x10; // ^P
  static final byte ESCAPE = 0x1d; // ^]

  /** Does what the keys say, in their order. */
  interface Commands {
    void type(byte[] bytes) throws IOException;

    /** Nothing typed behind it counts. */
    void leave();

    void next() throws IOException;

    /** Tell the far end the size of the window. */
    void size() throws IOException;

    void help() throws IOException;
  }

  private final boolean canSwitch;
  private final Commands commands;
  private boolean escaped;

  /**
   * @param canSwitch whether there is something to switch to; if not, {@code ^P} is a key like any
   */
  EscapeKeys(boolean canSwitch, Commands commands) {
    this.canSwitch = canSwitch;
    this.commands = commands;
  }

  void typed(byte[] keys) throws IOException {
    ByteArrayOutputStream plain = new ByteArrayOutputStream(keys.length);
    for (byte key : keys) {
      if (escaped) {
        escaped = false;
        switch (key) {
          case LEAVE, NEXT, ESCAPE -> plain.write(key);
          case 's' -> {
            flush(plain);
            commands.size();
          }
          default -> {
            flush(plain);
            commands.help();
          }
        }
      } else if (key == ESCAPE) {
        escaped = true;
      } else if (key == LEAVE) {
        flush(plain);
        commands.leave();
        return;
      } else if (key == NEXT && canSwitch) {
        flush(plain);
        commands.next();
      } else {
        plain.write(key);
      }
    }
    flush(plain);
  }

  private void flush(ByteArrayOutputStream plain) throws IOException {
    if (plain.size() > 0) {
      commands.type(plain.toByteArray());
      plain.reset();
    }
  }
}
