package org.liminix.uboot;

import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The host's end of a serial line to a board with a U-Boot on it: its line editor, as much of its
 * parser as the tests need, and all the faults that such lines have. Command {@code do N WORD} is
 * recorded, and ends with status 1 if N is a multiple of 3; whatever else is run is recorded as it
 * stands.
 */
final class SimulatedBoard implements ByteChannel {
  private static final int FIFO = 16;
  private static final int LONGEST_LINE = 256;
  private static final byte[] END = {};

  private final BlockingQueue<Byte> input = new LinkedBlockingQueue<>(FIFO);
  private final BlockingQueue<byte[]> output = new LinkedBlockingQueue<>();
  private final Random toBoard;
  private final Random toHost;
  private final double fault;
  private final Options options;
  private final Thread thread;
  private final List<String> executed = new CopyOnWriteArrayList<>();
  private final Map<String, String> environment = new HashMap<>();
  private ByteBuffer unread = ByteBuffer.allocate(0);
  private String lastLine = "";
  private boolean lastRepeats;
  private int status;

  /** What came while the FIFO was full. */
  private int dropped;

  private volatile boolean open = true;

  /**
   * What kind of U-Boot this is.
   *
   * @param prompt its prompt
   * @param editor whether it has a line editor
   * @param hush whether it has {@code $?} and comments
   * @param autoboot what it says before the prompt, if it counts down
   * @param stop what stops that
   */
  record Options(String prompt, boolean editor, boolean hush, String autoboot, String stop) {
    static final Options USUAL = new Options("=> ", true, true, "", "");
  }

  /** A board behind a line on which this fraction of characters is lost, doubled or damaged. */
  SimulatedBoard(Options options, double fault, long seed) {
    this.options = options;
    this.fault = fault;
    this.toBoard = new Random(seed);
    this.toHost = new Random(seed + 1);
    this.thread = new Thread(this::live, "simulated-board");
    thread.setDaemon(true);
    thread.start();
  }

  /** All that was run, in order. */
  List<String> executed() {
    return executed;
  }

  /** How many characters were lost because the board did not read them in time. */
  int dropped() {
    return dropped;
  }

  Map<String, String> environment() {
    return environment;
  }

  @Override
  public int write(ByteBuffer source) {
    int count = source.remaining();
    while (source.hasRemaining()) {
      for (byte arriving : noise(source.get(), toBoard)) {
        dropped += input.offer(arriving) ? 0 : 1;
      }
    }
    return count;
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
    byte[] bytes = text.replace("\n", "\r\n").getBytes(StandardCharsets.ISO_8859_1);
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
      while (open) {
        print(options.prompt());
        String line = readLine();
        if (line.equals("\u0003")) {
          print("<INTERRUPT>\n");
        } else {
          runLine(line);
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
      keys.append((char) (input.take() & 0xff));
    }
    print("\n");
  }

  /** cread_line of common/cli_readline.c, or its plain sister. */
  private String readLine() throws InterruptedException {
    StringBuilder line = new StringBuilder();
    int cursor = 0;
    while (true) {
      char c = (char) (input.take() & 0xff);
      if (c == '\r' || c == '\n') {
        print("\n");
        return line.toString();
      }
      if (c == 3) {
        return "\u0003";
      }
      if (c == 1 && options.editor()) {
        print("\b".repeat(cursor));
        cursor = 0;
      } else if (c == 5 && options.editor()) {
        print(line.substring(cursor));
        cursor = line.length();
      } else if (c == 4 && options.editor()) {
        if (cursor < line.length()) {
          line.deleteCharAt(cursor);
          String rest = line.substring(cursor);
          print(rest + " " + "\b".repeat(rest.length() + 1));
        }
      } else if (c == 16 && options.editor()) {
        print("\b".repeat(cursor) + lastLine);
        line = new StringBuilder(lastLine);
        cursor = line.length();
      } else if (c == 8 || c == 127) {
        if (cursor > 0) {
          cursor--;
          line.deleteCharAt(cursor);
          String rest = line.substring(cursor);
          print("\b" + rest + " " + "\b".repeat(rest.length() + 1));
        }
      } else if (line.length() >= LONGEST_LINE) {
        print("\u0007");
      } else {
        line.insert(cursor, c);
        cursor++;
        String rest = line.substring(cursor);
        print(c + rest + "\b".repeat(rest.length()));
      }
    }
  }

  private void runLine(String line) {
    boolean repeated = line.isEmpty();
    if (repeated && !lastRepeats) {
      return;
    }
    String text = repeated ? lastLine : line;
    lastLine = text;
    lastRepeats = !text.contains("setenv");
    if (options.hush() && text.startsWith("#")) {
      return;
    }
    for (String command : text.split(";", -1)) {
      runCommand(expanded(command.strip()));
    }
  }

  private String expanded(String command) {
    String known = options.hush() ? command.replace("$?", Integer.toString(status)) : command;
    Matcher variable = Pattern.compile("\\$\\{(\\w+)\\}").matcher(known);
    return variable.replaceAll(
        m -> Matcher.quoteReplacement(environment.getOrDefault(m.group(1), "")));
  }

  private void runCommand(String command) {
    List<String> words = new ArrayList<>(List.of(command.split(" +", 3)));
    switch (words.get(0)) {
      case "" -> {}
      case "setenv" -> {
        environment.put(words.get(1), words.size() > 2 ? unquoted(words.get(2)) : "");
        status = 0;
      }
      case "printenv" -> {
        String value = environment.get(words.get(1));
        print(value == null ? "" : words.get(1) + "=" + value + "\n");
        status = value == null ? 1 : 0;
      }
      case "echo" -> {
        print(command.substring(4).strip() + "\n");
        status = 0;
      }
      case "crc32" -> {
        executed.add(command);
        print("CRC32 for 80000000 ... 800000ff ==> 0d968558\n");
        status = 0;
      }
      case "do" -> {
        executed.add(command);
        int number = Integer.parseInt(words.get(1));
        stall(number);
        print("did " + number + "\n");
        status = number % 3 == 0 ? 1 : 0;
      }
      default -> {
        // A comment where there are none is an unknown command, and does no harm.
        if (!words.get(0).startsWith("#")) {
          executed.add(command);
        }
        print("Unknown command '" + words.get(0) + "' - try 'help'\n");
        status = 1;
      }
    }
  }

  private static String unquoted(String word) {
    return word.startsWith("'") ? word.substring(1, word.length() - 1) : word;
  }

  /** Every so often the board is busy and reads nothing; its FIFO overflows. */
  private static void stall(int number) {
    if (number % 1000 == 999) {
      LockSupport.parkNanos(Duration.ofMillis(2500).toNanos());
    } else if (number % 100 == 99) {
      LockSupport.parkNanos(Duration.ofMillis(30).toNanos());
    }
  }
}
