package org.liminix.uboot;

import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * The host's end of a serial line to a board with a U-Boot on it: its line editor or the plain
 * input it has instead, a {@link SimulatedShell}, and all the faults that such lines have.
 */
final class SimulatedBoard implements ByteChannel {
  private static final int FIFO = 16;
  private static final int LONGEST_LINE = 256;
  private static final byte[] END = {};

  /** Marks of a character that came unlike its echo. */
  private static final int WITHOUT_ECHO = 0x100;

  private static final int ECHO_ONLY = 0x200;

  private final BlockingQueue<Integer> input = new LinkedBlockingQueue<>(FIFO);
  private final BlockingQueue<byte[]> output = new LinkedBlockingQueue<>();
  private final Random toBoard;
  private final Random toHost;
  private final double fault;
  private final Options options;
  private final SimulatedShell shell;
  private final Thread thread;
  private final AtomicInteger dropped = new AtomicInteger();
  private final AtomicInteger stalls = new AtomicInteger();
  private final AtomicInteger untilTrick = new AtomicInteger();
  private volatile Trick trick = Trick.NONE;
  private ByteBuffer unread = ByteBuffer.allocate(0);
  private String withheld = "";
  private int taken;

  private volatile boolean open = true;

  /** What a console shows only when it has more to show. */
  enum Late {
    NOTHING,
    ECHO,
    EVERYTHING
  }

  /** A fault that strikes once. All but the first leave an echo that looks as it should. */
  enum Trick {
    NEWLINE,
    DOUBLED_UNSEEN,
    LOST_UNSEEN,
    NONE
  }

  /**
   * What kind of U-Boot this is.
   *
   * @param prompt its prompt
   * @param editor whether it has a line editor
   * @param hush whether it has {@code $?} and comments
   * @param canRun whether it has {@code run}
   * @param late what its console shows late
   * @param autoboot what it says before the prompt, if it counts down
   * @param stop what stops that
   */
  record Options(
      String prompt,
      boolean editor,
      boolean hush,
      boolean canRun,
      Late late,
      String autoboot,
      String stop) {
    static final Options USUAL = new Options("=> ", true, true, true, Late.NOTHING, "", "");

    /** What many routers were sold with. */
    static final Options VENDOR = new Options("ath> ", false, false, true, Late.NOTHING, "", "");

    Options withPrompt(String other) {
      return new Options(other, editor, hush, canRun, late, autoboot, stop);
    }

    Options withoutEditor() {
      return new Options(prompt, false, hush, canRun, late, autoboot, stop);
    }

    Options withEditor() {
      return new Options(prompt, true, hush, canRun, late, autoboot, stop);
    }

    Options withoutRun() {
      return new Options(prompt, editor, hush, false, late, autoboot, stop);
    }

    Options withLate(Late what) {
      return new Options(prompt, editor, hush, canRun, what, autoboot, stop);
    }

    Options withAutoboot(String message, String keys) {
      return new Options(prompt, editor, hush, canRun, late, message, keys);
    }
  }

  /** A board behind a line on which this fraction of characters is lost, doubled or damaged. */
  SimulatedBoard(Options options, double fault, long seed) {
    this.options = options;
    this.fault = fault;
    this.toBoard = new Random(seed);
    this.toHost = new Random(seed + 1);
    this.shell = new SimulatedShell(options.hush(), options.canRun(), this::print);
    this.thread = new Thread(this::live, "simulated-board");
    thread.setDaemon(true);
    thread.start();
  }

  /** All that was run, in order. */
  List<String> executed() {
    return shell.executed();
  }

  /** What was no command. */
  List<String> unknown() {
    return shell.unknown();
  }

  Map<String, String> environment() {
    return shell.environment();
  }

  /** How many characters were lost because the board did not read them in time. */
  int dropped() {
    return dropped.get();
  }

  /** How often it read nothing for seconds although it was at its prompt. */
  int stalls() {
    return stalls.get();
  }

  /** Plays a trick on a character that comes after so many others. */
  void playTrick(Trick next, int after) {
    untilTrick.set(after);
    trick = next;
  }

  @Override
  public int write(ByteBuffer source) {
    int count = source.remaining();
    while (source.hasRemaining()) {
      byte sent = source.get();
      if (trick != Trick.NONE && sent >= ' ' && untilTrick.getAndDecrement() == 0) {
        arrive(sent, trick);
        trick = Trick.NONE;
      } else {
        for (byte arriving : noise(sent, toBoard)) {
          receive(arriving & 0xff);
        }
      }
    }
    return count;
  }

  private void arrive(int sent, Trick played) {
    switch (played) {
      case NEWLINE -> receive('\r');
      case DOUBLED_UNSEEN -> {
        receive(sent);
        receive(sent | WITHOUT_ECHO);
      }
      case LOST_UNSEEN -> receive(sent | ECHO_ONLY);
      case NONE -> receive(sent);
    }
  }

  private void receive(int character) {
    if (!input.offer(character)) {
      dropped.incrementAndGet();
    }
  }

  private byte[] noise(byte sent, Random random) {
    if (random.nextDouble() >= fault) {
      return new byte[] {sent};
    }
    return switch (random.nextInt(3)) {
      case 0 -> new byte[0];
      case 1 -> new byte[] {sent, sent};
      default -> new byte[] {(byte) random.nextInt(256)};
    };
  }

  @Override
  public int read(ByteBuffer target) {
    try {
      while (!unread.hasRemaining()) {
        byte[] next = output.take();
        if (next == END) {
          output.add(END);
          return -1;
        }
        unread = ByteBuffer.wrap(next);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return -1;
    }
    int count = Math.min(unread.remaining(), target.remaining());
    for (int i = 0; i < count; i++) {
      target.put(unread.get());
    }
    return count;
  }

  @Override
  public boolean isOpen() {
    return open;
  }

  @Override
  public void close() {
    open = false;
    output.add(END);
    thread.interrupt();
  }

  private void print(String text) {
    if (options.late() == Late.EVERYTHING) {
      emitAllButLast(text.replace("\n", "\r\n"));
    } else {
      emit((withheld + text).replace("\n", "\r\n"));
      withheld = "";
    }
  }

  private void echo(String text) {
    if (options.late() == Late.ECHO) {
      emitAllButLast(text);
    } else {
      print(text);
    }
  }

  private void emitAllButLast(String text) {
    String all = withheld + text;
    if (!all.isEmpty()) {
      emit(all.substring(0, all.length() - 1));
      withheld = all.substring(all.length() - 1);
    }
  }

  private void emit(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
    ByteBuffer arriving = ByteBuffer.allocate(bytes.length * 2);
    for (byte sent : bytes) {
      arriving.put(noise(sent, toHost));
    }
    byte[] chunk = new byte[arriving.flip().remaining()];
    arriving.get(chunk);
    if (chunk.length > 0) {
      output.add(chunk);
    }
  }

  private void live() {
    try {
      boot();
      String unfinished = "";
      while (open) {
        print(unfinished.isEmpty() ? options.prompt() : "> ");
        String line = options.editor() ? edited() : plain();
        if (line.equals("\u0003")) {
          print("<INTERRUPT>\n");
          unfinished = "";
        } else {
          String whole = unfinished + line;
          unfinished = shell.run(whole) ? "" : whole + " ";
        }
      }
    } catch (InterruptedException e) {
      print("");
    }
  }

  private void boot() throws InterruptedException {
    print("\nU-Boot 2023.01\n\n");
    if (options.autoboot().isEmpty()) {
      return;
    }
    print(options.autoboot());
    StringBuilder keys = new StringBuilder();
    while (keys.indexOf(options.stop()) < 0) {
      keys.append((char) (take() & 0xff));
    }
    print("\n");
  }

  private int take() throws InterruptedException {
    int next = input.take();
    taken++;
    if (fault > 0 && taken % 200_000 == 0) {
      stalls.incrementAndGet();
      LockSupport.parkNanos(Duration.ofSeconds(2).toNanos());
    } else if (fault > 0 && taken % 10_000 == 0) {
      LockSupport.parkNanos(Duration.ofMillis(30).toNanos());
    }
    return next;
  }

  /** What cli_readline_into_buffer of common/cli_readline.c does without CONFIG_CMDLINE_EDITING. */
  private String plain() throws InterruptedException {
    StringBuilder line = new StringBuilder();
    while (true) {
      int character = take();
      char c = (char) (character & 0xff);
      switch (c) {
        case '\r', '\n' -> {
          print("\r\n");
          return line.toString();
        }
        case 0 -> {}
        case 3 -> {
          return "\u0003";
        }
        case 0x15 -> {
          echo("\b \b".repeat(line.length()));
          line.setLength(0);
        }
        case 8, 0x7f -> {
          if (!line.isEmpty()) {
            echo("\b \b");
            line.setLength(line.length() - 1);
          }
        }
        default -> {
          if (line.length() >= LONGEST_LINE - 2) {
            echo("\u0007");
          } else {
            echo(character < WITHOUT_ECHO || character >= ECHO_ONLY ? String.valueOf(c) : "");
            line.append(character < ECHO_ONLY ? String.valueOf(c) : "");
          }
        }
      }
    }
  }

  /** cread_line of common/cli_readline.c. */
  private String edited() throws InterruptedException {
    StringBuilder line = new StringBuilder();
    int cursor = 0;
    while (true) {
      int character = take();
      char c = (char) (character & 0xff);
      if (c == '\r' || c == '\n') {
        print("\n");
        return line.toString();
      }
      if (c == 3) {
        return "\u0003";
      }
      if (c == 1) {
        echo("\b".repeat(cursor));
        cursor = 0;
      } else if (c == 5) {
        echo(line.substring(cursor));
        cursor = line.length();
      } else if (c == 4) {
        if (cursor < line.length()) {
          line.deleteCharAt(cursor);
          String rest = line.substring(cursor);
          echo(rest + " " + "\b".repeat(rest.length() + 1));
        }
      } else if (c == 16) {
        echo("\b".repeat(cursor) + shell.last());
        line = new StringBuilder(shell.last());
        cursor = line.length();
      } else if (c == 8 || c == 127) {
        if (cursor > 0) {
          cursor--;
          line.deleteCharAt(cursor);
          String rest = line.substring(cursor);
          echo("\b" + rest + " " + "\b".repeat(rest.length() + 1));
        }
      } else if (line.length() >= LONGEST_LINE) {
        echo("\u0007");
      } else if (character >= ECHO_ONLY) {
        echo(String.valueOf(c));
      } else {
        line.insert(cursor, c);
        cursor++;
        String rest = line.substring(cursor);
        echo(character < WITHOUT_ECHO ? c + rest + "\b".repeat(rest.length()) : "");
      }
    }
  }
}
