package org.liminix.uboot;

import com.google.errorprone.annotations.FormatMethod;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Follows a script command by command, keeping track of the environment; what the commands do to
 * RAM and flash is judged by {@link RamLedger} and {@link FlashLedger}.
 */
final class ScriptChecker {
  /** Commands that change neither memory nor flash. */
  private static final Set<String> HARMLESS =
      Set.of(
          "echo",
          "printenv",
          "version",
          "bdinfo",
          "flinfo",
          "coninfo",
          "help",
          "crc32",
          "md",
          "md.b",
          "md.w",
          "md.l",
          "cmp",
          "cmp.b",
          "cmp.w",
          "cmp.l",
          "iminfo",
          "ping",
          "sleep",
          "true",
          "mtdparts",
          "sha1sum",
          "md5sum",
          "setexpr",
          "usb",
          "pci",
          "dhcp_discover");

  private static final Set<String> CONTROL =
      Set.of("if", "then", "else", "elif", "fi", "for", "while", "until", "do", "done", "run");

  private final UBootScript script;
  private final MemoryMap board;
  private final ImageSource files;
  private final Map<String, String> environment = new HashMap<>();
  private final List<PlanStep> steps = new ArrayList<>();
  private final List<PlanProblem> problems = new ArrayList<>();
  private final RamLedger ram;
  private final FlashLedger flash;
  private int line;
  private String command = "";
  private boolean cannotFollow;

  ScriptChecker(UBootScript script, MemoryMap board, ImageSource files) {
    this.script = script;
    this.board = board;
    this.files = files;
    this.ram = new RamLedger(this);
    this.flash = new FlashLedger(this);
  }

  MemoryMap board() {
    return board;
  }

  RamLedger ram() {
    return ram;
  }

  Optional<String> variable(String name) {
    return Optional.ofNullable(environment.get(name));
  }

  int line() {
    return line;
  }

  String command() {
    return command;
  }

  void step(
      PlanStep.Action action, Optional<FlashDevice> device, AddressRange range, String content) {
    steps.add(new PlanStep(line, action, device, range, content));
  }

  @FormatMethod
  void problem(String message, Object... arguments) {
    problemAt(line, command, message.formatted(arguments));
  }

  void problemAt(int where, String what, String message) {
    problems.add(new PlanProblem(where, what, message));
  }

  ScriptPlan check() {
    for (UBootScript.Line scriptLine : script.lines()) {
      for (UBootCommand next : scriptLine.commands()) {
        if (!cannotFollow) {
          line = scriptLine.number();
          command = next.toString();
          follow(next);
          if (next.operator().equals("||")) {
            problem("what comes after || runs only sometimes; write one command per line");
            cannotFollow = true;
          }
        }
      }
    }
    flash.finish();
    return new ScriptPlan(script, board, steps, problems);
  }

  private void follow(UBootCommand next) {
    if (CONTROL.contains(next.name())) {
      problem("what this runs cannot be told beforehand; write one plain command per line");
      cannotFollow = true;
      return;
    }
    Optional<List<String>> expanded = expand(next);
    if (expanded.isEmpty()) {
      return;
    }
    List<String> words = expanded.get();
    try {
      dispatch(words);
    } catch (MissingArgumentException e) {
      problem("%s", e.missing);
    }
  }

  private Optional<List<String>> expand(UBootCommand next) {
    List<String> words = new ArrayList<>();
    for (ScriptWord word : next.words()) {
      ScriptWord.Expansion expansion = word.expand(environment);
      if (expansion.value().isEmpty()) {
        problem(
            "nobody can tell what it does: ${%s} is not set by any line before it",
            expansion.missing());
        return Optional.empty();
      }
      words.add(expansion.value().get());
    }
    return Optional.of(words);
  }

  private void dispatch(List<String> words) {
    Arguments arguments = new Arguments(words);
    String name = words.get(0);
    switch (name) {
      case "setenv", "set" -> setenv(words);
      case "tftp", "tftpboot", "tftpb" -> tftp(arguments);
      case "cp", "cp.b", "cp.w", "cp.l" -> copy(name, arguments);
      case "lzmadec", "unlzma" -> ram.unpack(arguments.number(1), arguments.number(2));
      case "erase", "era" -> flash.eraseNor(words, arguments);
      case "protect" -> flash.protect(words, arguments);
      case "sf" -> flash.spiNor(arguments);
      case "nand" -> flash.nand(arguments);
      case "ubi" -> flash.ubi(arguments);
      case "mmc" -> flash.mmc(arguments);
      case "bootm", "bootz", "booti", "go" -> ram.boot(name, arguments);
      case "saveenv", "save" ->
          problem("would overwrite the stored environment; leave it out and set what is needed");
      case "reset", "boot", "bootd" -> cannotFollow = true;
      default -> {
        if (!HARMLESS.contains(name)) {
          problem("%s is not a command whose effects are known here; leave it out", name);
        }
      }
    }
  }

  private void setenv(List<String> words) {
    if (words.size() < 2) {
      throw new MissingArgumentException("setenv lacks a name" + Arguments.USAGE);
    }
    if (words.size() == 2) {
      environment.remove(words.get(1));
    } else {
      environment.put(words.get(1), String.join(" ", words.subList(2, words.size())));
    }
  }

  private void tftp(Arguments arguments) {
    String last = arguments.text(arguments.count() - 1);
    long address;
    if (arguments.count() > 2) {
      address = arguments.number(1);
    } else {
      String loadaddr = environment.get("loadaddr");
      if (loadaddr == null) {
        problem("the load address is whatever the board's loadaddr says; name it");
        return;
      }
      address = Arguments.hexadecimal(loadaddr);
    }
    // [[hostIPaddr:]bootfilename]
    String file = last.replaceFirst("^[0-9.]+:", "");
    Optional<ImageData> data = find(file);
    if (data.isEmpty()) {
      problem("there is no file %s to load; is the TFTP root right?", file);
      environment.remove("filesize");
      return;
    }
    environment.put("filesize", Long.toHexString(data.get().size()));
    environment.put("fileaddr", Long.toHexString(address));
    ram.load(PlanStep.Action.LOAD, file, address, data.get().size(), data);
  }

  private Optional<ImageData> find(String name) {
    try {
      return files.find(name);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void copy(String name, Arguments arguments) {
    int width = name.endsWith(".b") ? 1 : name.endsWith(".w") ? 2 : 4;
    long source = arguments.number(1);
    long target = arguments.number(2);
    long size = arguments.number(3) * width;
    Optional<FlashDevice> device = board.norAt(target);
    if (device.isPresent()) {
      flash.write(device.get(), source, target, size);
    } else {
      ram.load(
          PlanStep.Action.UNPACK,
          ram.describe(source),
          target,
          size,
          ram.contentAt(source).filter(d -> d.size() >= size).map(d -> d.slice(0, size)));
    }
  }

  /** A command with an argument that is missing or makes no sense. */
  static final class MissingArgumentException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    final String missing;

    MissingArgumentException(String missing) {
      super(missing);
      this.missing = missing;
    }
  }

  /** The words of a command, by position. */
  record Arguments(List<String> words) {
    static final String USAGE = "; U-Boot would print its usage and the next line would run";

    /** Far above what boards have, and far enough below the end of long to reckon with. */
    static final long LARGEST = 1L << 48;

    int count() {
      return words.size();
    }

    boolean has(int index) {
      return index < words.size();
    }

    String text(int index) {
      if (index < 1 || index >= words.size()) {
        throw new MissingArgumentException(words.get(0) + " lacks an argument" + USAGE);
      }
      return words.get(index);
    }

    /** U-Boot reads every number as hexadecimal, with or without 0x. */
    long number(int index) {
      return hexadecimal(text(index));
    }

    static long hexadecimal(String text) {
      String digits = text.startsWith("0x") || text.startsWith("0X") ? text.substring(2) : text;
      if (!digits.matches("[0-9a-fA-F]+")) {
        throw new MissingArgumentException('"' + text + "\" is no hexadecimal number" + USAGE);
      }
      String significant = digits.replaceFirst("^0+(?=.)", "");
      if (significant.length() > 12) {
        throw new MissingArgumentException(text + " is beyond the memory of any board");
      }
      return Long.parseLong(significant, 16);
    }
  }
}
