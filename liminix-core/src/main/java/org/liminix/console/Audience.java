package org.liminix.console;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Those who join a console while it is open. Each is told what was said last, then everything that
 * follows, and that it has ended: nothing is missing in between, and nothing comes twice.
 *
 * <p>Thread-safe.
 */
final class Audience {
  /** One of them. Called on the console's own thread, or when joining: it must not block. */
  interface Member {
    void said(ByteBuffer bytes);

    void ended();
  }

  /** A screen or two. */
  private static final int REPLAYED_CHARS = 4096;

  private static final Logger log = LoggerFactory.getLogger(Audience.class);

  private final String name;
  private final ConsoleText text;
  private final List<Member> members = new ArrayList<>(); // guarded by this, as is adding to text
  private boolean ended;

  Audience(String name, ConsoleText text) {
    this.name = name;
    this.text = text;
  }

  /**
   * What the console says.
   *
   * @param millis when it came, on this machine's clock
   * @param bytes as they came
   * @param chars as they read
   */
  synchronized void say(long millis, ByteBuffer bytes, char[] chars, int count) {
    text.append(millis, chars, count);
    for (Member member : members) {
      tell(() -> member.said(bytes.asReadOnlyBuffer()));
    }
  }

  synchronized void end() {
    ended = true;
    for (Member member : members) {
      tell(member::ended);
    }
  }

  synchronized void join(Member member) {
    ByteBuffer last = lastSaid();
    if (last.hasRemaining()) {
      member.said(last);
    }
    if (ended) {
      member.ended();
    } else {
      members.add(member);
    }
  }

  /** Returns when the member is not being told anything any more. */
  synchronized void leave(Member member) {
    members.remove(member);
  }

  /**
   * Text rather than bytes: a question to the terminal among them, such as that for the place of
   * its cursor, would be answered once more, and the answer typed into the guest.
   */
  private ByteBuffer lastSaid() {
    TextLog.Snapshot shown = text.shown();
    String last =
        shown.subSequence(Math.max(0, shown.length() - REPLAYED_CHARS), shown.length()).toString();
    int firstLine = last.length() < shown.length() ? last.indexOf('\n') + 1 : 0;
    return StandardCharsets.UTF_8.encode(last.substring(firstLine).replace("\n", "\r\n"));
  }

  private void tell(Runnable what) {
    try {
      what.run();
    } catch (RuntimeException e) {
      log.warn("Somebody who has joined console {} was not told all", name, e);
    }
  }
}
