package org.liminix.uboot;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.liminix.process.LiminixException;

/** Has U-Boot run a script whose plan was found harmless. */
final class ScriptRunner {
  private final UBoot uboot;
  private final ScriptPlan plan;
  private final ImageSource files;
  private final Consumer<ScriptProgress> watcher;
  private final Duration timeout;
  private final List<UBootResult> results = new ArrayList<>();

  /** What was loaded where, by address. */
  private final Map<Long, ImageData> loaded = new HashMap<>();

  ScriptRunner(
      UBoot uboot,
      ScriptPlan plan,
      ImageSource files,
      Consumer<ScriptProgress> watcher,
      Duration timeout) {
    this.uboot = uboot;
    this.plan = plan;
    this.files = files;
    this.watcher = watcher;
    this.timeout = timeout;
  }

  List<UBootResult> run() {
    int total = plan.script().lines().stream().mapToInt(l -> l.commands().size()).sum();
    // What cannot be typed is refused before anything is done.
    plan.script()
        .lines()
        .forEach(line -> line.commands().forEach(command -> PromptLine.of(line, command)));
    int done = 0;
    for (UBootScript.Line line : plan.script().lines()) {
      for (UBootCommand command : line.commands()) {
        watcher.accept(new ScriptProgress(line.number(), command.toString(), done, total));
        try {
          if (runOne(line.number(), command)) {
            return List.copyOf(results);
          }
        } catch (LiminixException e) {
          throw new UBootException(
              "Line %d, \"%s\", failed after %d of %d commands: %s"
                  .formatted(line.number(), command, done, total, e.getMessage()),
              e);
        }
        done++;
      }
    }
    return List.copyOf(results);
  }

  /** Runs a command; says whether it has handed over to a kernel. */
  private boolean runOne(int line, UBootCommand command) {
    String text = command.toString();
    List<String> arguments = command.arguments();
    switch (command.name()) {
      case "bootm", "bootz", "booti", "go" -> {
        uboot.boot(text, timeout);
        return true;
      }
      case "tftp", "tftpboot", "tftpb" -> {
        PlanStep step = step(line, PlanStep.Action.LOAD, arguments);
        ImageData data = find(step.content());
        results.add(uboot.load(text, step.range().start(), step.content(), data));
        loaded.put(step.range().start(), data);
      }
      default -> {
        long size =
            plan.steps().stream()
                .filter(step -> step.line() == line)
                .mapToLong(step -> step.range().size())
                .sum();
        UBootResult result = uboot.run(text, Durations.forBytes(timeout, size)).orThrow();
        requireSuccess(command, result);
        results.add(result);
        if (writes(command)) {
          readBack(line, command);
        }
      }
    }
    return false;
  }

  /** Where U-Boot does not tell a status, its words must do. */
  private static void requireSuccess(UBootCommand command, UBootResult result) {
    boolean complains =
        result.output().contains("Unknown command") || result.output().contains("Usage:");
    boolean unprotected =
        (command.name().equals("erase") || command.name().startsWith("cp"))
            && result.output().contains("rotected");
    if (complains || unprotected) {
      throw new UBootException("U-Boot said:\n" + result.output().indent(4));
    }
  }

  private PlanStep step(int line, PlanStep.Action action, List<String> arguments) {
    String file = arguments.get(arguments.size() - 1).replaceFirst("^[0-9.]+:", "");
    return plan.steps().stream()
        .filter(s -> s.line() == line && s.action() == action && s.content().equals(file))
        .findFirst()
        .orElseThrow();
  }

  private ImageData find(String name) {
    try {
      return files
          .find(name)
          .orElseThrow(() -> new UBootException("The file " + name + " has disappeared"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean writes(UBootCommand command) {
    List<String> arguments = command.arguments();
    String verb = arguments.isEmpty() ? "" : arguments.get(0);
    return switch (command.name()) {
      case "cp", "cp.b", "cp.w", "cp.l" -> true;
      case "sf" -> verb.equals("write") || verb.equals("update");
      case "nand", "mmc" -> verb.equals("write");
      case "ubi" -> verb.equals("write") || verb.equals("writevol");
      default -> false;
    };
  }

  /** Compares what flash holds with what was loaded. */
  private void readBack(int line, UBootCommand command) {
    Optional<PlanStep> write =
        plan.steps().stream()
            .filter(s -> s.line() == line && s.action() == PlanStep.Action.WRITE)
            .findFirst();
    if (write.isEmpty()) {
      return;
    }
    ImageData data = find(write.get().content());
    FlashDevice device = write.get().device().orElseThrow();
    AddressRange range = write.get().range();
    long source =
        loaded.entrySet().stream()
            .filter(entry -> entry.getValue().equals(data))
            .map(Map.Entry::getKey)
            .findFirst()
            .orElseThrow();
    long where = source;
    long size = data.size();
    Duration limit = Durations.forBytes(timeout, size);
    if (device.kind() != FlashDevice.Kind.NOR) {
      // The copy in RAM has done its work, so there is room for what flash says; but it must go, or
      // a read that fails silently would look like a perfect one.
      uboot.run("mw.b %x 0 %x".formatted(source, size), limit).orThrow();
      loaded.remove(source);
    }
    switch (device.kind()) {
      case NOR -> where = range.start();
      case SPI_NOR ->
          uboot.run("sf read %x %x %x".formatted(source, range.start(), size), limit).orThrow();
      case NAND ->
          uboot.run("nand read %x %x %x".formatted(source, range.start(), size), limit).orThrow();
      case UBI ->
          uboot.run("ubi read %x %s %x".formatted(source, device.name(), size), limit).orThrow();
      case MMC -> {
        List<String> arguments = command.arguments();
        uboot
            .run("mmc read %x %s %s".formatted(source, arguments.get(2), arguments.get(3)), limit)
            .orThrow();
      }
    }
    long crc = uboot.crc32(where, size);
    if (crc != data.crc32()) {
      throw new UBootException(
          "%s does not hold what was written: its CRC is %08x instead of %08x. Do not reset the"
                  .formatted(device.name(), crc, data.crc32())
              + " board; load and write again");
    }
  }
}
