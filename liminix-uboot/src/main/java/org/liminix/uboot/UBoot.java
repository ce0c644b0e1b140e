package org.liminix.uboot;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.liminix.console.Console;
import org.liminix.console.ConsoleTimeoutException;
import org.liminix.process.Deadline;

/**
 * The prompt of a U-Boot at the other end of a console.
 *
 * <pre>{@code
 * UBoot uboot = UBoot.on(console).open(); // stops autoboot, finds the prompt
 * uboot.run("version").orThrow().output();
 * uboot.setenv("serverip", "10.0.0.1");
 * uboot.tftp(0x81000000L, "result/firmware.bin", firmware); // size and CRC verified
 * Console linux = uboot.boot("bootm 0x81000000");
 * }</pre>
 *
 * <p>Serial lines have no flow control, and U-Boot loses characters while it is busy. So no command
 * is run that was not read back exactly as it was meant, twice where U-Boot has a line editor or
 * the command {@code run}; none is run twice; and a status comes from a record in U-Boot's
 * environment, which is asked again if the answer was garbled. That record is a variable, {@code
 * _n}; without line editor {@code _c} and {@code _s} are such, too. No line but {@code saveenv}
 * makes them permanent. What a command prints can still be damaged on its way.
 *
 * <p>One thread at a time. The console belongs to whoever opened it, and stays open.
 */
public final class UBoot {
  private static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(30);
  private static final int DEFAULT_FIFO = 16;
  private static final String RECORD = "_n";
  private static final Duration FIRST_KNOCK = Duration.ofMillis(500);

  /** What U-Boots say while they count down; and some vendors' menus. */
  private static final Pattern AUTOBOOT =
      Pattern.compile(
          "Hit any key to stop autoboot|Autobooting in \\d+|[Pp]ress [^\n]{1,40} to (?:stop|abort)"
              + "|Enter password|Please choose the operation");

  private static final Pattern LINUX =
      Pattern.compile("Starting kernel|Linux version \\d|Booting Linux|Uncompressing Linux");

  /** How U-Boot greets; {@code version} prints that, too. */
  private static final String BANNER = "(?m:^U-Boot (?:[ST]PL )?\\d)";

  private final Console console;
  private final LineTyper typer;
  private final CommandVariable variable;
  private final Duration timeout;
  private final Pattern autoboot;
  private final String stop;
  private boolean hasStatus;
  private int commands;

  /** What U-Boot's record says unless it is started anew; empty if that is not known. */
  private String recorded = "";

  private boolean finding;

  private UBoot(Builder builder) {
    this.console = builder.console;
    this.typer = new LineTyper(console, builder.fifo.orElse(DEFAULT_FIFO));
    this.variable = new CommandVariable(typer);
    this.timeout = builder.timeout.orElse(DEFAULT_TIMEOUT);
    this.autoboot = builder.autoboot.orElse(AUTOBOOT);
    this.stop = builder.stop.orElse(" ");
  }

  /** A builder for the U-Boot on a console. */
  public static Builder on(Console console) {
    return new Builder(console);
  }

  private void find(Deadline deadline) {
    finding = true;
    try {
      typer.findPrompt(autoboot, stop, deadline);
      typer.probeEditing(deadline);
      variable.forget();
      hasStatus = false;
      recorded = "";
      // A parser without $? prints it as it stands.
      String probe = run("echo $?", deadline.remaining()).output();
      hasStatus = probe.strip().matches("\\d+");
      if (!typer.editing() || !hasStatus) {
        variable.probe(hasStatus, deadline);
      }
    } finally {
      finding = false;
    }
  }

  /** The console. */
  public Console console() {
    return console;
  }

  /** The prompt, exactly as U-Boot prints it. */
  public String prompt() {
    return typer.prompt();
  }

  /** Whether this U-Boot tells the exit status of commands. */
  public boolean hasStatus() {
    return hasStatus;
  }

  /** Whether this U-Boot has the line editor that lets a line be read back before it runs. */
  public boolean hasLineEditor() {
    return typer.editing();
  }

  /** {@link #run(String, Duration)} with the default timeout. */
  public UBootResult run(String command) {
    return run(command, timeout);
  }

  /**
   * Runs a command, exactly once, and waits for its end.
   *
   * @return its status, if U-Boot tells, and its output; a status other than 0 is not an error here
   * @throws ScriptFormatException if it is not one line that U-Boot's parser takes
   * @throws UBootException if it does not end in time, the board is reset meanwhile, or the line is
   *     too bad
   */
  public UBootResult run(String command, Duration limit) {
    String typed = PromptLine.of(command);
    Deadline deadline = Deadline.after(limit);
    while (true) {
      String id = Integer.toString(++commands);
      String record = "setenv %s %s:%s".formatted(RECORD, id, hasStatus ? "$?" : "");
      // setenv also keeps U-Boot from running the line again upon an empty one, since it is not a
      // repeatable command.
      String line = "%s;%s;echo =${%3$s}=${%3$s}=".formatted(typed, record, RECORD);
      Optional<UBootResult> result =
          variable.execute(line, deadline)
              ? await(command, id, deadline)
              : query(command, id, deadline);
      if (result.isPresent()) {
        return result.get();
      }
    }
  }

  /** The result of the line that runs now; nothing if it did not run after all. */
  private Optional<UBootResult> await(String command, String id, Deadline deadline) {
    String events = "=%1$s:(\\d{0,10})=%1$s:\\1=\n|(%2$s)|(?:%3$s)".formatted(id, BANNER, autoboot);
    Pattern awaited = Pattern.compile(events);
    Duration patience = FIRST_KNOCK;
    boolean greeted = false;
    StringBuilder output = new StringBuilder();
    while (true) {
      try {
        boolean last = deadline.remaining().compareTo(patience) <= 0;
        var match = typer.expect(awaited, last ? deadline.remaining() : patience);
        output.append(match.before());
        if (match.text().startsWith("#")) {
          return query(command, id, deadline);
        }
        if (match.text().startsWith("=" + id + ":")) {
          afterCommand(deadline);
          return Optional.of(result(command, id, match.group(1), output.toString()));
        }
        if (greeted && match.group(2).isEmpty()) {
          console.send(stop);
          throw restarted(command);
        }
        greeted |= !match.group(2).isEmpty();
        patience = FIRST_KNOCK;
        output.append(match.text());
      } catch (ConsoleTimeoutException e) {
        if (deadline.hasPassed()) {
          throw overdue(command, e);
        }
        // It still runs, or the marker was damaged and this is the prompt.
        awaited = Pattern.compile(events + "|" + Pattern.quote(typer.knock()));
        patience = patience.multipliedBy(2);
      }
    }
  }

  private void afterCommand(Deadline deadline) {
    if (!typer.answers("")) {
      typer.synchronize(deadline);
    }
  }

  /** The board was reset, and has forgotten all; its prompt is found again. */
  private UBootException restarted(String command) {
    UBootException failure =
        new UBootException(
            "U-Boot has started anew while it ran \"%s\": somebody or something has reset the board."
                    .formatted(command)
                + " How far the command came is not known, and variables that were not saved are"
                + " lost; begin again");
    if (!finding) {
      try {
        find(Deadline.after(timeout));
      } catch (UBootException | ConsoleTimeoutException e) {
        failure.addSuppressed(e);
      }
    }
    return failure;
  }

  private UBootException overdue(String command, ConsoleTimeoutException cause) {
    recorded = "";
    UBootException failure =
        new UBootException(
            "U-Boot has not finished \"%s\". %s".formatted(command, cause.getMessage()), cause);
    try {
      typer.synchronize(Deadline.after(FIRST_KNOCK.multipliedBy(10)));
    } catch (UBootException | ConsoleTimeoutException e) {
      failure.addSuppressed(e);
    }
    return failure;
  }

  /** Asks U-Boot which command it ran last, as often as it takes to get a clean answer. */
  private Optional<UBootResult> query(String command, String id, Deadline deadline) {
    Pattern answer = Pattern.compile("\\?(?:(\\d+):(\\d{0,10}))?\\?\\?(?:\\1:\\2)?\\?\n");
    while (true) {
      typer.synchronize(deadline);
      typer.type("echo ?${%1$s}??${%1$s}?;setenv _q".formatted(RECORD), deadline);
      try {
        if (!typer.enter(deadline)) {
          continue;
        }
        var match = typer.expect(answer, typer.patience().plus(FIRST_KNOCK));
        afterCommand(deadline);
        String record = match.group(1);
        if (record.equals(id)) {
          return Optional.of(result(command, id, match.group(2), ""));
        }
        if (!recorded.isEmpty() && !record.equals(recorded)) {
          throw restarted(command);
        }
        return Optional.empty();
      } catch (ConsoleTimeoutException e) {
        if (deadline.hasPassed()) {
          throw overdue(command, e);
        }
      }
    }
  }

  private UBootResult result(String command, String id, String status, String output) {
    recorded = id;
    String text = output.startsWith("\n") ? output.substring(1) : output;
    return new UBootResult(command, UBootOutput.status(status), text.stripTrailing());
  }

  /** All variables of the environment. */
  public Map<String, String> environment() {
    Map<String, String> variables = UBootOutput.environment(run("printenv").orThrow().lines());
    variables.remove(RECORD);
    CommandVariable.removeFrom(variables);
    return variables;
  }

  /** A variable of the environment. */
  public Optional<String> getenv(String name) {
    String prefix = Words.requirePlain("name", name) + "=";
    return run("printenv " + name).lines().stream()
        .filter(line -> line.startsWith(prefix))
        .map(line -> line.substring(prefix.length()))
        .findFirst();
  }

  /**
   * Sets a variable and reads it back.
   *
   * @throws UBootException if U-Boot keeps another value
   */
  public void setenv(String name, String value) {
    String plain = Words.requirePlain("name", name);
    run("setenv %s %s".formatted(plain, Words.singleQuoted(value))).orThrow();
    Optional<String> now = getenv(name);
    if (!now.equals(Optional.of(value))) {
      throw new UBootException(
          "Variable %s is to be \"%s\", but U-Boot says %s".formatted(name, value, now));
    }
  }

  /** The CRC-32 of some memory, as {@link ImageData#crc32()} computes it. */
  public long crc32(long address, long size) {
    UBootResult result =
        run("crc32 %x %x".formatted(address, size), Durations.forBytes(timeout, size)).orThrow();
    return UBootOutput.crc32(result.output())
        .orElseThrow(
            () -> new UBootException("crc32 did not print a sum:\n" + result.output().indent(4)));
  }

  /**
   * Loads a file over TFTP, and compares its size and CRC with what it should be.
   *
   * @throws UBootException if it is not loaded, or not that file
   */
  public void tftp(long address, String name, ImageData expected) {
    load("tftpboot 0x%x %s".formatted(address, name), address, name, expected);
  }

  UBootResult load(String command, long address, String name, ImageData expected) {
    UBootResult result = run(command, Durations.forBytes(timeout, expected.size())).orThrow();
    long size = UBootOutput.loadedSize(result.output()).orElse(-1);
    if (size != expected.size()) {
      throw new UBootException(
          "%s has %d bytes, but U-Boot %s:%n%s"
              .formatted(
                  name,
                  expected.size(),
                  size < 0 ? "loaded nothing" : "loaded " + size,
                  result.output().indent(4)));
    }
    long crc = crc32(address, size);
    if (crc != expected.crc32()) {
      throw new UBootException(
          "%s arrived with CRC %08x, but has %08x; is the TFTP server serving another file?"
              .formatted(name, crc, expected.crc32()));
    }
    return result;
  }

  /** {@link #boot(String, Duration)} with the default timeout. */
  public Console boot(String command) {
    return boot(command, timeout);
  }

  /**
   * Starts a kernel.
   *
   * @param command such as {@code bootm 0x81000000}
   * @return the same console, which now belongs to Linux
   * @throws UBootException if U-Boot comes back instead, with its prompt or after a reset
   */
  public Console boot(String command, Duration limit) {
    String typed = PromptLine.of(command);
    Deadline deadline = Deadline.after(limit);
    start(typed, deadline);
    Pattern either = Pattern.compile("(%s)|(%s)|%s".formatted(LINUX, BANNER, typer.promptAtEnd()));
    var match = console.expect(either, deadline.remaining());
    if (!match.group(2).isEmpty()) {
      throw restarted(command);
    }
    if (match.group(1).isEmpty()) {
      throw new UBootException(
          "\"%s\" starts nothing:%n%s".formatted(command, match.before().indent(4)));
    }
    return console;
  }

  /** Types a command that does not come back, until it runs. */
  private void start(String command, Deadline deadline) {
    while (!variable.execute(command, deadline)) {
      typer.synchronize(deadline);
    }
  }

  /** Resets the board and waits for the prompt, stopping autoboot again. */
  public void reset() {
    Deadline deadline = Deadline.after(timeout);
    start("reset", deadline);
    console.expect(Pattern.compile("U-Boot \\d"), deadline.remaining());
    find(deadline);
  }

  /** {@link #run(ScriptPlan, ImageSource, Consumer)} without anybody watching. */
  public List<UBootResult> run(ScriptPlan plan, ImageSource files) {
    return run(plan, files, progress -> {});
  }

  /**
   * Runs a script one command at a time, and stops at the first that fails. What is loaded is
   * verified by CRC before anything is erased, and what was written to flash is read back and
   * compared. A command that starts a kernel ends the script; the console then is Linux's.
   *
   * @param plan the script, checked against the board
   * @param files what the TFTP server serves
   * @param watcher told about each command before it runs
   * @return the results of the commands
   * @throws ScriptRefusedException if there is anything against the plan; nothing was done then
   * @throws UBootException naming the line that failed
   */
  public List<UBootResult> run(
      ScriptPlan plan, ImageSource files, Consumer<ScriptProgress> watcher) {
    return new ScriptRunner(this, plan.verify(), files, watcher, timeout).run();
  }

  /** Says how to reach U-Boot. Each option once; not thread-safe. */
  public static final class Builder {
    private final Console console;
    private final Setting<Integer> fifo = new Setting<>("fifo");
    private final Setting<Duration> timeout = new Setting<>("timeout");
    private final Setting<Pattern> autoboot = new Setting<>("autobootMessage");
    private final Setting<String> stop = new Setting<>("stopAutobootWith");

    private Builder(Console console) {
      this.console = console;
    }

    /** How many characters the board's UART holds while U-Boot is busy; 16 by default. */
    public Builder fifo(int characters) {
      if (characters < 1) {
        throw new IllegalArgumentException("A FIFO of " + characters + " characters");
      }
      fifo.set(characters);
      return this;
    }

    /** How long open() and commands wait that name no timeout; 30 s by default. */
    public Builder timeout(Duration limit) {
      if (limit.isNegative() || limit.isZero()) {
        throw new IllegalArgumentException("A timeout must be longer than nothing: " + limit);
      }
      timeout.set(limit);
      return this;
    }

    /** What U-Boot says while it can be stopped; the usual phrases by default. */
    public Builder autobootMessage(Pattern message) {
      autoboot.set(message);
      return this;
    }

    /** What stops autoboot: a key, {@code \u0003} for Ctrl-C, a password; a space by default. */
    public Builder stopAutobootWith(String keys) {
      stop.set(keys);
      return this;
    }

    /**
     * Stops autoboot, finds the prompt, and finds out what this U-Boot can do.
     *
     * @throws UBootException if there is no prompt in time
     */
    public UBoot open() {
      UBoot uboot = new UBoot(this);
      uboot.find(Deadline.after(uboot.timeout));
      return uboot;
    }
  }
}
