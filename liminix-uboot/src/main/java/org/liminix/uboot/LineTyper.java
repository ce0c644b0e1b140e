package org.liminix.uboot;

import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;
import org.liminix.console.Console;
import org.liminix.console.ConsoleTimeoutException;
import org.liminix.console.Match;
import org.liminix.process.Deadline;

/**
 * Types a line at U-Boot's prompt over a line that may lose, double or corrupt characters either
 * way, so that U-Boot never runs anything but this line.
 *
 * <ul>
 *   <li>No more characters are sent than a receive FIFO holds before all of them have come back.
 *   <li>The line begins with {@code #}: should noise end it early, U-Boot runs a comment.
 *   <li>When all of it stands there, the cursor goes to its start, which U-Boot answers with a
 *       backspace per character; the {@code #} is deleted, and the cursor goes to the end, which
 *       U-Boot answers with the whole line: a second, independent look at what it holds, with
 *       nothing left under way that could change it, before the newline is sent.
 *   <li>Where anything differs, the line is given up with Ctrl-C and typed again.
 * </ul>
 *
 * The keys are those of {@code cread_line} in U-Boot's {@code common/cli_readline.c}. A U-Boot
 * without line editing only gets the first of these protections.
 */
final class LineTyper {
  private static final String INTERRUPT = "\u0003";
  private static final String START_OF_LINE = "\u0001";
  private static final String DELETE = "\u0004";
  private static final String END_OF_LINE = "\u0005";
  private static final char BELL = '\u0007';
  private static final String INTERRUPTED = "<INTERRUPT>\n";

  /** What may stand behind anything without changing it. */
  private static final String BLANK = " ";

  private static final int FULL_BUFFER_ATTEMPTS = 3;

  /** Echoes take this many times the usual round trip before they are given up. */
  private static final int PATIENCE = 16;

  private static final Duration LEAST_PATIENCE = Duration.ofMillis(20);
  private static final Duration MOST_PATIENCE = Duration.ofSeconds(5);
  private static final Duration FIRST_PATIENCE = Duration.ofMillis(250);

  private final Console console;
  private final int fifo;
  private Duration roundTrip = FIRST_PATIENCE.dividedBy(PATIENCE);
  private String prompt = "";
  private boolean editing;
  private boolean bell;

  /** How many of its characters U-Boot keeps until it has another one to show: none, or one. */
  private int lag;

  /** What U-Boot has yet to show for that reason. */
  private String owed = "";

  LineTyper(Console console, int fifo) {
    this.console = console;
    this.fifo = fifo;
  }

  String prompt() {
    return prompt;
  }

  boolean editing() {
    return editing;
  }

  Duration patience() {
    Duration wanted = roundTrip.multipliedBy(PATIENCE);
    return wanted.compareTo(LEAST_PATIENCE) < 0 ? LEAST_PATIENCE : wanted;
  }

  private static Duration doubled(Duration patience) {
    Duration more = patience.multipliedBy(2);
    return more.compareTo(MOST_PATIENCE) > 0 ? MOST_PATIENCE : more;
  }

  private static Duration atMost(Duration wanted, Deadline deadline) {
    Duration left = deadline.remaining();
    return left.compareTo(wanted) < 0 ? left : wanted;
  }

  /** Waits for U-Boot, stopping its autoboot, and learns what its prompt is. */
  void findPrompt(Pattern autoboot, String stop, Deadline deadline) {
    Duration patience = FIRST_PATIENCE;
    // What precedes a word of ours on a line that begins after Ctrl-C can only be the prompt.
    while (true) {
      String nonce = nonce();
      Pattern awaited =
          Pattern.compile(INTERRUPTED + "([^\n]{1,64}?)" + nonce + "|(" + autoboot.pattern() + ")");
      console.send(INTERRUPT);
      console.send(nonce + BLANK);
      try {
        var match = console.expect(awaited, atMost(patience, deadline));
        if (!match.group(2).isEmpty()) {
          console.send(stop);
        } else {
          prompt = match.group(1);
          probeLag(deadline);
          synchronize(deadline);
          return;
        }
      } catch (ConsoleTimeoutException e) {
        if (deadline.hasPassed()) {
          throw new UBootException(
              "No U-Boot prompt within "
                  + deadline.timeout().toSeconds()
                  + " s. Is the board on, and does autoboot stop with another key?",
              e);
        }
        patience = doubled(patience);
      }
    }
  }

  private static String nonce() {
    // A comment, should a newline slip in behind it.
    return "#" + Integer.toString(ThreadLocalRandom.current().nextInt(46656, 1679616), 36);
  }

  /** Believes two looks that agree: a character may also be missing because it was lost. */
  private void probeLag(Deadline deadline) {
    OptionalInt before = OptionalInt.empty();
    for (Duration patience = FIRST_PATIENCE; !deadline.hasPassed(); patience = doubled(patience)) {
      OptionalInt now = seenLag(atMost(patience, deadline));
      if (now.isPresent() && now.equals(before)) {
        lag = now.getAsInt();
        return;
      }
      before = now;
    }
    throw new UBootException("U-Boot's echo stays garbled; is the line that bad?");
  }

  private OptionalInt seenLag(Duration patience) {
    String nonce = nonce();
    console.send(INTERRUPT);
    console.send(nonce + BLANK);
    try {
      console.expect(nonce, patience);
    } catch (ConsoleTimeoutException e) {
      return OptionalInt.empty();
    }
    Optional<String> echo = next(BLANK.length(), patience);
    if (echo.isPresent()) {
      return echo.get().equals(BLANK) ? OptionalInt.of(0) : OptionalInt.empty();
    }
    console.send("x");
    boolean late =
        next(BLANK.length(), patience).filter(BLANK::equals).isPresent()
            && next(1, patience).isEmpty();
    return late ? OptionalInt.of(BLANK.length()) : OptionalInt.empty();
  }

  /** Finds out whether the line editor is there that the keys above belong to. */
  void probeEditing(Deadline deadline) {
    for (int attempt = 0; attempt < 3 && !editing; attempt++) {
      synchronize(deadline);
      editing = echoes("#a") && reads(START_OF_LINE, "\b\b", patience().multipliedBy(2));
    }
    synchronize(deadline);
  }

  private boolean echoes(String chunk) {
    return reads(chunk, chunk, patience());
  }

  /** Sends something and compares as many characters as the answer should have. */
  private boolean reads(String sent, String answer, Duration patience) {
    long start = System.nanoTime();
    console.send(sent);
    boolean right = shows(answer, patience);
    if (right) {
      Duration took = Duration.ofNanos(System.nanoTime() - start);
      roundTrip = roundTrip.multipliedBy(7).plus(took).dividedBy(8);
    }
    return right;
  }

  private boolean shows(String answer, Duration patience) {
    String due = owed + answer;
    int seen = due.length() - lag;
    Optional<String> read = next(seen, patience);
    owed = due.substring(seen);
    bell = read.filter(r -> r.indexOf(BELL) >= 0).isPresent();
    return read.filter(due.substring(0, seen)::equals).isPresent();
  }

  /** Waits for something that a line says before its end. */
  Match expect(Pattern wanted, Duration limit) {
    Match match = console.expect(wanted, limit);
    owed = "";
    return match;
  }

  /** Whether U-Boot says just this and then shows its prompt, ready for the next line. */
  boolean answers(String text) {
    return shows(text + prompt, patience().multipliedBy(2));
  }

  /** The prompt at the end of what U-Boot has said. */
  Pattern promptAtEnd() {
    String certain = prompt.substring(0, prompt.length() - lag);
    String late = prompt.substring(prompt.length() - lag);
    return Pattern.compile("\n" + Pattern.quote(certain) + "(?:" + Pattern.quote(late) + ")?\\z");
  }

  private Optional<String> next(int count, Duration patience) {
    try {
      return Optional.of(
          console.expect(Pattern.compile("\\G[\\s\\S]{" + count + "}"), patience).text());
    } catch (ConsoleTimeoutException e) {
      return Optional.empty();
    }
  }

  /**
   * Gets rid of what stands at the prompt and of all answers still under way.
   *
   * @throws UBootException if U-Boot does not answer
   */
  void synchronize(Deadline deadline) {
    for (Duration patience = patience(); ; patience = doubled(patience)) {
      String nonce = nonce();
      console.send(INTERRUPT);
      console.send(nonce + BLANK);
      try {
        console.expect(nonce, atMost(patience, deadline));
        owed = BLANK;
        console.send(INTERRUPT);
        if (shows(INTERRUPTED + prompt, atMost(patience, deadline))) {
          return;
        }
      } catch (ConsoleTimeoutException e) {
        if (deadline.hasPassed()) {
          throw new UBootException("U-Boot does not answer Ctrl-C with its prompt any more", e);
        }
      }
      if (deadline.hasPassed()) {
        throw new UBootException("U-Boot's answers to Ctrl-C stay garbled; is the line that bad?");
      }
    }
  }

  /** Types a line after the prompt, so that U-Boot holds it and needs only a newline to run it. */
  void type(String line, Deadline deadline) {
    int full = 0;
    while (!attempt(line)) {
      if (deadline.hasPassed()) {
        throw new UBootException(
            "The line could not be typed without errors within %d s: %s"
                .formatted(deadline.timeout().toSeconds(), line));
      }
      full = bell ? full + 1 : 0;
      if (full == FULL_BUFFER_ATTEMPTS) {
        throw new UBootException(
            "U-Boot's line buffer is full before the end of these %d characters; shorten: %s"
                .formatted(line.length(), line));
      }
      synchronize(deadline);
    }
  }

  private boolean attempt(String wanted) {
    String line = wanted + BLANK.repeat(lag);
    String typed = editing ? "#" + line : line;
    for (int at = 0; at < typed.length(); at += fifo) {
      String chunk = typed.substring(at, Math.min(typed.length(), at + fifo));
      if (!reads(chunk, chunk, patience())) {
        return false;
      }
    }
    if (!editing) {
      return true;
    }
    String back = "\b".repeat(typed.length());
    Duration patience = patience().multipliedBy(2);
    return reads(START_OF_LINE, back, patience)
        && reads(DELETE, line + " " + back, patience)
        && reads(END_OF_LINE, line, patience);
  }

  /**
   * Has the line run that was typed.
   *
   * @return false if it may not have run, because the newline became another character
   */
  boolean enter(Deadline deadline) {
    for (Duration patience = FIRST_PATIENCE; ; patience = doubled(patience)) {
      console.send("\r");
      String due = owed + "\n";
      int seen = due.length() - lag;
      Optional<String> answer = next(seen, atMost(patience, deadline));
      if (answer.isPresent()) {
        owed = due.substring(seen);
        return answer.get().replace('\r', '\n').equals(due.substring(0, seen));
      }
      // It was lost, or U-Boot is busy. In that case the next one only shows the prompt again,
      // since the line is one that U-Boot does not repeat.
      if (deadline.hasPassed()) {
        throw new UBootException("U-Boot does not react to a newline any more");
      }
    }
  }

  /** Types something harmless whose echo shows that U-Boot is at its prompt. */
  String knock() {
    String nonce = nonce();
    console.send(nonce + BLANK);
    return nonce;
  }
}
