package org.liminix.uboot;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.liminix.uboot.ScriptChecker.Arguments;
import org.liminix.uboot.ScriptChecker.MissingArgumentException;

/** What a script erases and writes, and whether it may. */
final class FlashLedger {
  private static final int MMC_BLOCK = 512;

  private final ScriptChecker script;
  private final List<Change> erased = new ArrayList<>();
  private final List<Change> written = new ArrayList<>();
  private Optional<String> ubiPartition = Optional.empty();
  private boolean probed;
  private long card;

  FlashLedger(ScriptChecker script) {
    this.script = script;
  }

  private record Change(int line, String command, FlashDevice device, AddressRange range) {}

  /** {@code erase start end}, {@code erase start +size}, {@code erase N:first-last}. */
  void eraseNor(List<String> words, Arguments arguments) {
    String first = arguments.text(1);
    if (first.equals("all") || first.equals("bank")) {
      script.problem("would erase the boot loader with all the rest; name a range");
      return;
    }
    if (first.indexOf(':') >= 0 || words.size() < 3) {
      script.problem("which sectors these are depends on the chip; name start and +size");
      return;
    }
    long start = arguments.number(1);
    Optional<FlashDevice> device = script.board().norAt(start);
    if (device.isEmpty()) {
      script.problem("there is no flash at 0x%x", start);
      return;
    }
    erase(device.get(), range(start, arguments.text(2)));
  }

  /** From an address {@code +size} bytes, or to and with another address. */
  private static AddressRange range(long start, String sizeOrLast) {
    if (sizeOrLast.startsWith("+")) {
      return new AddressRange(start, Arguments.hexadecimal(sizeOrLast.substring(1)));
    }
    long last = Arguments.hexadecimal(sizeOrLast);
    if (last < start) {
      throw new MissingArgumentException(
          "0x%x, where it ends, is before 0x%x; write +size for a size".formatted(last, start));
    }
    return AddressRange.between(start, last + 1);
  }

  void protect(List<String> words, Arguments arguments) {
    if (arguments.text(1).equals("on")) {
      return;
    }
    String first = arguments.text(2);
    if (first.equals("all") || first.equals("bank") || words.size() < 4) {
      script.problem("would lay the boot loader open; name the range that is written");
      return;
    }
    long start = arguments.number(2);
    AddressRange range = range(start, arguments.text(3));
    script.board().norAt(start).ifPresent(device -> keepOut(device, range, "lay open"));
  }

  private void erase(FlashDevice device, AddressRange range) {
    script.step(PlanStep.Action.ERASE, Optional.of(device), range, "");
    if (!inside(device, range)) {
      return;
    }
    long block = device.eraseBlockSize();
    long offset = range.start() - device.range().start();
    if (offset % block != 0 || range.size() % block != 0) {
      script.problem(
          "erases whole blocks of 0x%x bytes, so it would erase 0x%x bytes before %s and 0x%x after",
          block, offset % block, range, (block - (offset + range.size()) % block) % block);
    }
    AddressRange blocks =
        AddressRange.between(
            range.start() - offset % block,
            device.range().start() + ImageData.roundUp(offset + range.size(), block));
    keepOut(device, blocks, "destroy");
    erased.add(new Change(script.line(), script.command(), device, blocks));
  }

  private boolean inside(FlashDevice device, AddressRange range) {
    AddressRange whole = script.board().addressing().physical(device.range());
    AddressRange physical = script.board().addressing().physical(range);
    if (!whole.contains(physical)) {
      script.problem(
          "%s reaches beyond the %s, %s, by 0x%x bytes",
          range, device.name(), device.range(), physical.end() - whole.end());
      return false;
    }
    return true;
  }

  private void keepOut(FlashDevice device, AddressRange range, String harm) {
    for (FlashDevice.Partition partition : device.partitions()) {
      AddressRange addresses = device.addresses(partition);
      if (!partition.writable() && overlap(addresses, range)) {
        script.problem("would %s partition %s, %s", harm, partition.name(), addresses);
      }
    }
  }

  private boolean overlap(AddressRange a, AddressRange b) {
    Addressing addressing = script.board().addressing();
    return addressing.physical(a).overlaps(addressing.physical(b));
  }

  private boolean contains(AddressRange a, AddressRange b) {
    Addressing addressing = script.board().addressing();
    return addressing.physical(a).contains(addressing.physical(b));
  }

  /** Writes something from RAM. */
  void write(FlashDevice device, long source, long target, long size) {
    AddressRange range = new AddressRange(target, size);
    script.step(PlanStep.Action.WRITE, Optional.of(device), range, script.ram().describe(source));
    script.ram().use(source, size);
    if (!inside(device, range)) {
      return;
    }
    keepOut(device, range, "overwrite");
    for (FlashDevice.Partition partition : device.partitions()) {
      AddressRange addresses = device.addresses(partition);
      if (partition.writable() && overlap(addresses, range) && !contains(addresses, range)) {
        script.problem(
            "0x%x bytes do not fit partition %s, %s: %s is left for them",
            size,
            partition.name(),
            addresses,
            "0x%x".formatted(Math.max(0, addresses.end() - target)));
      }
    }
    boolean blank =
        erased.stream().anyMatch(e -> e.device() == device && contains(e.range(), range));
    if (device.needsErase() && !blank) {
      script.problem("%s has not been erased in full, so what is written would be garbage", range);
    }
    written.add(new Change(script.line(), script.command(), device, range));
  }

  /** What was erased must be what is written, in whole blocks or in whole partitions. */
  void finish() {
    for (Change erase : erased) {
      List<Change> inside =
          written.stream()
              .filter(w -> w.device() == erase.device() && overlap(w.range(), erase.range()))
              .toList();
      if (inside.isEmpty()) {
        script.problemAt(
            erase.line(),
            erase.command(),
            "would destroy %s and nothing is written there".formatted(erase.range()));
        continue;
      }
      long end = inside.stream().mapToLong(w -> w.range().end()).max().orElseThrow();
      long start = inside.stream().mapToLong(w -> w.range().start()).min().orElseThrow();
      AddressRange needed = wholeBlocks(erase.device(), AddressRange.between(start, end));
      if (!contains(needed, erase.range()) && !isWholePartition(erase, needed)) {
        script.problemAt(
            erase.line(),
            erase.command(),
            "would destroy more than the 0x%x bytes that are written need: 0x%x bytes"
                    .formatted(end - start, erase.range().size())
                + "; erase %s, or declare the partition".formatted(needed));
      }
    }
  }

  private static AddressRange wholeBlocks(FlashDevice device, AddressRange range) {
    long base = device.range().start();
    long block = device.eraseBlockSize();
    return AddressRange.between(
        base + (range.start() - base) / block * block,
        base + ImageData.roundUp(range.end() - base, block));
  }

  private boolean isWholePartition(Change erase, AddressRange needed) {
    return erase.device().partitions().stream()
        .filter(FlashDevice.Partition::writable)
        .map(erase.device()::addresses)
        .anyMatch(p -> contains(p, erase.range()) && contains(p, needed));
  }

  /**
   * {@code sf probe}, {@code sf erase offset [+]length}, {@code sf write address offset length}.
   */
  void spiNor(Arguments arguments) {
    String verb = arguments.text(1);
    if (verb.equals("probe")) {
      probed = true;
      return;
    }
    Optional<FlashDevice> device = script.board().flash(FlashDevice.Kind.SPI_NOR);
    if (device.isEmpty() || !probed) {
      script.problem(
          device.isEmpty()
              ? "this board has no SPI NOR flash"
              : "sf probe must come first, or every sf command fails");
      return;
    }
    switch (verb) {
      case "read" -> {}
      case "erase" -> eraseAt(device.get(), arguments, 2);
      case "write" -> writeAt(device.get(), arguments, 2);
      case "update" -> {
        AddressRange range =
            new AddressRange(offset(device.get(), arguments.text(3)), arguments.number(4));
        erased.add(
            new Change(
                script.line(), script.command(), device.get(), wholeBlocks(device.get(), range)));
        writeAt(device.get(), arguments, 2);
      }
      default -> script.problem("sf %s is not known here", verb);
    }
  }

  /** {@code nand erase offset size}, {@code nand write address offset size}. */
  void nand(Arguments arguments) {
    Optional<FlashDevice> device = script.board().flash(FlashDevice.Kind.NAND);
    if (device.isEmpty()) {
      script.problem("this board has no NAND flash");
      return;
    }
    switch (arguments.text(1)) {
      case "info", "device", "bad", "read" -> {}
      case "erase" -> eraseAt(device.get(), arguments, 2);
      case "erase.part" -> {
        Optional<FlashDevice.Partition> partition = device.get().partition(arguments.text(2));
        if (partition.isEmpty()) {
          script.problem("there is no partition %s", arguments.text(2));
        } else {
          erase(device.get(), device.get().addresses(partition.get()));
        }
      }
      case "write" -> writeAt(device.get(), arguments, 2);
      default -> script.problem("nand %s is not known here, and may erase all", arguments.text(1));
    }
  }

  private void eraseAt(FlashDevice device, Arguments arguments, int first) {
    String size = arguments.text(first + 1);
    erase(
        device,
        new AddressRange(
            offset(device, arguments.text(first)),
            size.startsWith("+")
                ? ImageData.roundUp(
                    Arguments.hexadecimal(size.substring(1)), device.eraseBlockSize())
                : Arguments.hexadecimal(size)));
  }

  private void writeAt(FlashDevice device, Arguments arguments, int first) {
    write(
        device,
        arguments.number(first),
        offset(device, arguments.text(first + 1)),
        arguments.number(first + 2));
  }

  private static long offset(FlashDevice device, String nameOrOffset) {
    return device
        .partition(nameOrOffset)
        .map(partition -> partition.range().start())
        .orElseGet(() -> Arguments.hexadecimal(nameOrOffset));
  }

  /** {@code ubi part partition}, {@code ubi write address volume size}. */
  void ubi(Arguments arguments) {
    switch (arguments.text(1)) {
      case "part" -> ubiPartition = Optional.of(arguments.text(2));
      case "info", "read", "list", "check" -> {}
      case "create", "createvol" -> {}
      case "write", "writevol" -> {
        String volume = arguments.text(3);
        Optional<FlashDevice> device =
            script.board().flash().stream()
                .filter(d -> d.kind() == FlashDevice.Kind.UBI && d.name().equals(volume))
                .findFirst();
        if (ubiPartition.isEmpty()) {
          script.problem("ubi part must come first, or the write fails");
        } else if (device.isEmpty()) {
          script.problem("volume %s is not one that may be written", volume);
        } else {
          write(device.get(), arguments.number(2), 0, arguments.number(4));
        }
      }
      default -> script.problem("ubi %s may destroy volumes that are in use", arguments.text(1));
    }
  }

  /** {@code mmc dev N}, {@code mmc write address block count}. */
  void mmc(Arguments arguments) {
    switch (arguments.text(1)) {
      case "dev" -> card = arguments.number(2);
      case "info", "list", "part", "rescan", "read" -> {}
      case "write" -> {
        Optional<FlashDevice> device =
            script.board().flash().stream()
                .filter(d -> d.kind() == FlashDevice.Kind.MMC && d.name().equals("MMC " + card))
                .findFirst();
        if (device.isEmpty()) {
          script.problem("this board has no MMC %d", card);
          return;
        }
        long size = arguments.number(4) * MMC_BLOCK;
        // A file need not fill its last block.
        long loaded = script.ram().contentAt(arguments.number(2)).map(ImageData::size).orElse(size);
        boolean fills = ImageData.roundUp(loaded, MMC_BLOCK) == size;
        write(
            device.get(),
            arguments.number(2),
            arguments.number(3) * MMC_BLOCK,
            fills ? loaded : size);
      }
      default -> script.problem("mmc %s is not known here", arguments.text(1));
    }
  }
}
