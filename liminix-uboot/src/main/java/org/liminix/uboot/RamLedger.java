package org.liminix.uboot;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.liminix.uboot.ScriptChecker.Arguments;

/** What a script has put into RAM, and what of it is still needed. */
final class RamLedger {
  /** A number as the kernel's memparse takes it, as large as addresses and sizes may be. */
  private static final String NUMBER = "(0[xX][0-9a-fA-F]{1,%1$d}|0[0-7]{0,11}|[1-9][0-9]{0,%1$d})";

  /** phram.phram=NAME,START,LENGTH as Linux's drivers/mtd/devices/phram.c takes it. */
  private static final Pattern PHRAM =
      Pattern.compile(
          "phram\\.phram=[^,\\s]+,%s,%s(Ki|Mi|Gi)?(?:,\\w+)?(?:\\s|$)"
              .formatted(NUMBER.formatted(12), NUMBER.formatted(8)));

  /** How much room behind it a zImage of a given size may unpack into, as a multiple. */
  private static final int UNPACKED = 4;

  private final ScriptChecker script;
  private final List<Region> regions = new ArrayList<>();

  RamLedger(ScriptChecker script) {
    this.script = script;
  }

  private static final class Region {
    final int line;
    final String name;
    final AddressRange range;
    final AddressRange physical;
    final Optional<ImageData> data;
    boolean consumed;

    Region(
        int line,
        String name,
        AddressRange range,
        AddressRange physical,
        Optional<ImageData> data) {
      this.line = line;
      this.name = name;
      this.range = range;
      this.physical = physical;
      this.data = data;
    }
  }

  private AddressRange physical(AddressRange range) {
    return script.board().addressing().physical(range);
  }

  /** Something comes to stand in RAM. */
  void load(
      PlanStep.Action action, String name, long address, long size, Optional<ImageData> data) {
    AddressRange range = new AddressRange(address, size);
    AddressRange physical = physical(range);
    script.step(action, Optional.empty(), range, name);
    checkRoom(name, range, physical);
    for (Region other : regions) {
      if (!other.consumed && other.physical.overlaps(physical)) {
        script.problem(
            "%s, %s, would overwrite %s, %s, which line %d put there",
            name, range, other.name, other.range, other.line);
      }
    }
    regions.removeIf(other -> other.physical.overlaps(physical));
    regions.add(new Region(script.line(), name, range, physical, data));
  }

  private void checkRoom(String name, AddressRange range, AddressRange physical) {
    boolean inRam = false;
    for (AddressRange bank : script.board().ram()) {
      AddressRange physicalBank = physical(bank);
      inRam |= physicalBank.contains(physical);
      if (physicalBank.overlaps(physical) && !physicalBank.contains(physical)) {
        script.problem(
            "%s, %s, reaches beyond the RAM at %s by 0x%x bytes",
            name,
            range,
            bank,
            Math.max(physical.end() - physicalBank.end(), physicalBank.start() - physical.start()));
        inRam = true;
      }
    }
    if (!inRam) {
      script.problem("%s, %s, is no RAM; that is at %s", name, range, script.board().ram());
    }
    for (AddressRange uboot : script.board().uboot()) {
      if (physical(uboot).overlaps(physical)) {
        script.problem("%s, %s, would overwrite U-Boot itself at %s", name, range, uboot);
      }
    }
  }

  private Optional<Region> regionAt(long address) {
    AddressRange byteThere = physical(new AddressRange(address, 1));
    return regions.stream().filter(r -> r.physical.contains(byteThere)).findFirst();
  }

  /** What was loaded at exactly this address. */
  Optional<ImageData> contentAt(long address) {
    return regionAt(address).filter(r -> startsAt(r, address)).flatMap(r -> r.data);
  }

  private boolean startsAt(Region region, long address) {
    return region.physical.start() == script.board().addressing().physical(address);
  }

  String describe(long address) {
    return regionAt(address).map(r -> r.name).orElse("whatever is at 0x%x".formatted(address));
  }

  /**
   * Something in RAM goes to flash and is not needed any more; complains if it is not all there.
   */
  void use(long address, long size) {
    Optional<Region> region = regionAt(address);
    if (region.isEmpty()) {
      script.problem("nothing was loaded at 0x%x, so it would write garbage", address);
      return;
    }
    long available = region.get().range.size();
    if (!startsAt(region.get(), address)) {
      script.problem(
          "0x%x is in the middle of %s, which begins at 0x%x",
          address, region.get().name, region.get().range.start());
    } else if (size > available) {
      script.problem(
          "would write 0x%x bytes, but %s has only 0x%x; the rest is garbage",
          size, region.get().name, available);
    } else if (size < available) {
      script.problem(
          "would write only 0x%x of the 0x%x bytes of %s", size, available, region.get().name);
    }
    region.get().consumed = true;
  }

  /** lzmadec. */
  void unpack(long source, long target) {
    Optional<Region> region = regionAt(source);
    if (region.isEmpty()) {
      script.problem("nothing was loaded at 0x%x to unpack", source);
      return;
    }
    Optional<ImageData> unpacked = region.get().data.flatMap(Lzma::tryDecompress);
    if (unpacked.isEmpty()) {
      script.problem("%s is not LZMA, so lzmadec would leave garbage", region.get().name);
      return;
    }
    String name = region.get().name;
    load(
        PlanStep.Action.UNPACK,
        name.replaceFirst("\\.(lz|lzma)$", ""),
        target,
        unpacked.get().size(),
        unpacked);
    region.get().consumed = true;
  }

  /** bootm and its like. */
  void boot(String how, Arguments arguments) {
    long kernelAt = arguments.number(1);
    Optional<Region> kernel = regionAt(kernelAt).filter(r -> startsAt(r, kernelAt));
    if (kernel.isEmpty()) {
      // bootm also starts what flash holds already.
      if (script.board().norAt(kernelAt).isEmpty()) {
        script.problem("there is no kernel at 0x%x to start", kernelAt);
      }
      return;
    }
    if (arguments.has(2) && !arguments.text(2).equals("-")) {
      checkInitrd(arguments.text(2));
    }
    Optional<Region> tree = Optional.empty();
    if (arguments.has(3)) {
      long treeAt = arguments.number(3);
      tree = regionAt(treeAt).filter(r -> startsAt(r, treeAt));
      if (tree.isEmpty()) {
        script.problem("there is no device tree at 0x%x", treeAt);
      }
    }
    Optional<DeviceTree> deviceTree =
        tree.flatMap(r -> r.data).flatMap(d -> parsed(() -> DeviceTree.parse(d.toByteBuffer())));
    checkPhram(deviceTree);
    ImageData image = kernel.get().data.orElse(ImageData.empty());
    switch (how) {
      case "bootm" -> bootm(kernel.get(), image);
      case "bootz" -> bootz(kernel.get(), image);
      case "booti" -> booti(kernel.get(), image);
      default ->
          script.step(
              PlanStep.Action.START, Optional.empty(), kernel.get().range, kernel.get().name);
    }
  }

  private void bootm(Region kernel, ImageData image) {
    Optional<UImage> legacy = parsed(() -> UImage.parse(image.toByteBuffer()));
    Optional<FitImage> fit =
        parsed(() -> Fit.parse(image.toByteBuffer()))
            .flatMap(
                f -> f.defaultConfiguration().flatMap(FitConfiguration::kernel).flatMap(f::image));
    if (legacy.isEmpty() && fit.isEmpty()) {
      script.problem("%s is neither a uImage nor a FIT, or it is damaged", kernel.name);
      return;
    }
    Optional<Long> loadAddress =
        legacy.map(UImage::loadAddress).or(() -> fit.flatMap(FitImage::loadAddress));
    ImageData packed =
        legacy.map(u -> u.parts().get(0)).or(() -> fit.map(FitImage::data)).orElseThrow();
    Compression compression =
        legacy.map(UImage::compression).or(() -> fit.map(FitImage::compression)).orElseThrow();
    if (loadAddress.isEmpty()) {
      return;
    }
    if (loadAddress.get() < 0 || loadAddress.get() > Arguments.LARGEST) {
      script.problem("%s is to unpack to 0x%x, which is no RAM", kernel.name, loadAddress.get());
      return;
    }
    AddressRange target =
        new AddressRange(loadAddress.get(), Lzma.unpackedSize(compression, packed));
    script.step(PlanStep.Action.START, Optional.empty(), target, kernel.name + ", unpacked");
    AddressRange physical = physical(target);
    checkRoom(kernel.name + ", unpacked", target, physical);
    for (Region other : regions) {
      boolean inPlace = other == kernel && compression == Compression.NONE;
      if (!inPlace && !other.consumed && other.physical.overlaps(physical)) {
        script.problem("the kernel unpacks to %s, over %s, %s", target, other.name, other.range);
      }
    }
    if (compression == Compression.NONE) {
      checkUnpacking(kernel, packed, physical.start());
    }
  }

  private void bootz(Region kernel, ImageData image) {
    script.step(PlanStep.Action.START, Optional.empty(), kernel.range, kernel.name);
    AddressRange behind =
        new AddressRange(kernel.physical.end(), kernel.physical.size() * UNPACKED);
    for (Region other : regions) {
      if (other != kernel && !other.consumed && other.physical.overlaps(behind)) {
        script.problem(
            "a zImage unpacks into the memory behind it, where %s is, %s; put that before it",
            other.name, other.range);
      }
    }
    checkUnpacking(kernel, image, kernel.physical.start());
  }

  /** Complains if the image is a zImage that does not unpack behind itself, but over others. */
  private void checkUnpacking(Region kernel, ImageData image, long runsAt) {
    Optional<AddressRange> unpacked =
        ArmImage.unpacked(image, runsAt)
            .filter(u -> script.board().ram().stream().anyMatch(r -> physical(r).contains(u)));
    for (Region other : regions) {
      if (other != kernel
          && !other.consumed
          && unpacked.filter(other.physical::overlaps).isPresent()) {
        script.problem(
            "the zImage unpacks to %s, over %s, %s; load all beyond that",
            unpacked.get(), other.name, other.range);
      }
    }
  }

  /** ADDRESS, or ADDRESS:SIZE of one without a header of U-Boot's. */
  private void checkInitrd(String argument) {
    String[] parts = argument.split(":", 2);
    long address = Arguments.hexadecimal(parts[0]);
    Optional<Region> initrd = regionAt(address).filter(r -> startsAt(r, address));
    if (initrd.isEmpty()) {
      script.problem("there is no initial RAM disk at 0x%x", address);
    } else if (parts.length > 1 && Arguments.hexadecimal(parts[1]) != initrd.get().range.size()) {
      script.problem(
          "the initial RAM disk %s has 0x%x bytes, not 0x%s",
          initrd.get().name,
          initrd.get().range.size(),
          Long.toHexString(Arguments.hexadecimal(parts[1])));
    }
  }

  /**
   * U-Boot's booti_setup moves the kernel to where its header wants it (Linux,
   * Documentation/arm64/booting.rst), with the memory behind it that the kernel clears.
   */
  private void booti(Region kernel, ImageData image) {
    Optional<AddressRange> wanted = ArmImage.place(image, kernel.physical.start(), ramStart());
    AddressRange target = wanted.orElse(kernel.physical);
    script.step(PlanStep.Action.START, Optional.empty(), target, kernel.name);
    if (wanted.isEmpty()) {
      return;
    }
    checkRoom(kernel.name + ", moved", target, target);
    for (Region other : regions) {
      if (other != kernel && !other.consumed && other.physical.overlaps(target)) {
        script.problem(
            "the kernel is moved to %s, over %s, %s; put that before it",
            target, other.name, other.range);
      }
    }
  }

  private long ramStart() {
    return physical(script.board().ram().get(0)).start();
  }

  private void checkPhram(Optional<DeviceTree> tree) {
    String bootargs =
        tree.flatMap(DeviceTree::bootargs).or(() -> script.variable("bootargs")).orElse("");
    Matcher phram = PHRAM.matcher(bootargs);
    while (phram.find()) {
      AddressRange device =
          new AddressRange(Long.decode(phram.group(1)), scaled(phram.group(2), phram.group(3)));
      Optional<Region> rootfs =
          regions.stream()
              .filter(r -> !r.consumed && r.physical.start() == physical(device).start())
              .findFirst();
      if (rootfs.isEmpty()) {
        script.problem("phram is to be at %s, but nothing was loaded there", device);
        continue;
      }
      if (rootfs.get().physical.size() > device.size()) {
        script.problem(
            "phram has 0x%x bytes, but %s has 0x%x",
            device.size(), rootfs.get().name, rootfs.get().physical.size());
      }
      // Without a device tree the command line must keep Linux away from it, by mem= or memmap=.
      if (tree.isPresent()
          && tree.get().reservedMemory().stream().noneMatch(r -> r.contains(device))) {
        script.problem(
            "the device tree does not reserve %s, so Linux would overwrite its root filesystem",
            device);
      }
    }
  }

  private static long scaled(String number, @Nullable String unit) {
    int shift = unit == null ? 0 : unit.equals("Ki") ? 10 : unit.equals("Mi") ? 20 : 30;
    return Long.decode(number) << shift;
  }

  private static <T> Optional<T> parsed(Supplier<T> parser) {
    try {
      return Optional.of(parser.get());
    } catch (ImageFormatException e) {
      return Optional.empty();
    }
  }
}
