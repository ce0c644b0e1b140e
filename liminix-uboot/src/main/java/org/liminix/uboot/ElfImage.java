package org.liminix.uboot;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * An ELF executable such as {@code vmlinux}, to be turned into the bytes that stand in memory.
 *
 * <pre>{@code
 * ElfImage vmlinux = ElfImage.read(Path.of("vmlinux"));
 * LoadableBinary kernel =
 *     vmlinux
 *         .withSection(".appended_dtb", dtb.toImageData())
 *         .withoutSections(ElfImage.KERNEL_NOTES)
 *         .toBinary();
 * }</pre>
 *
 * <p>{@link #toBinary()} gives what {@code objcopy -O binary} gives, without copying the sections.
 *
 * <p>Immutable and thread-safe. Format: System V ABI, chapters 4 and 5.
 */
public final class ElfImage {
  /** The sections that Liminix strips from a kernel: they describe it, but are no part of it. */
  public static final Set<String> KERNEL_NOTES =
      Set.of(".reginfo", ".notes", ".note", ".comment", ".mdebug", ".note.gnu.build-id");

  private static final long MAX_BINARY = Integer.MAX_VALUE;

  private final ByteOrder order;
  private final int machine;
  private final long entryPoint;
  private final List<ElfSection> sections;

  private ElfImage(ByteOrder order, int machine, long entryPoint, List<ElfSection> sections) {
    this.order = order;
    this.machine = machine;
    this.entryPoint = entryPoint;
    this.sections = List.copyOf(sections);
  }

  /**
   * What stands in memory before an executable starts.
   *
   * @param loadAddress the physical address of the first byte
   * @param entryPoint the virtual address where execution begins
   * @param data the bytes
   */
  public record LoadableBinary(long loadAddress, long entryPoint, ImageData data) {}

  /** Reads a file, which is mapped, not copied. */
  public static ElfImage read(Path file) throws IOException {
    return parse(ImageData.map(file));
  }

  /**
   * Reads the bytes between a buffer's position and its limit, which are shared, not copied.
   *
   * @throws ImageFormatException naming the field that is wrong
   */
  public static ElfImage parse(ByteBuffer image) {
    ElfParser parser = new ElfParser(image);
    return new ElfImage(parser.order(), parser.machine(), parser.entryPoint(), parser.contents());
  }

  /** The byte order of the processor. */
  public ByteOrder byteOrder() {
    return order;
  }

  /** The processor, if it is one that U-Boot knows. */
  public Optional<CpuArchitecture> architecture() {
    // e_machine: the registry of the System V ABI.
    return switch (machine) {
      case 3 -> Optional.of(CpuArchitecture.X86);
      case 8 -> Optional.of(CpuArchitecture.MIPS);
      case 20 -> Optional.of(CpuArchitecture.POWERPC);
      case 40 -> Optional.of(CpuArchitecture.ARM);
      case 62 -> Optional.of(CpuArchitecture.X86_64);
      case 183 -> Optional.of(CpuArchitecture.ARM64);
      case 243 -> Optional.of(CpuArchitecture.RISCV);
      default -> Optional.empty();
    };
  }

  /** The virtual address where execution begins. */
  public long entryPoint() {
    return entryPoint;
  }

  /** The names of the sections that are loaded into memory, in the order of their addresses. */
  public List<String> loadedSections() {
    return sections.stream().map(ElfSection::name).toList();
  }

  /**
   * This image with other contents in a section, as {@code objcopy --update-section}; it may grow
   * into the room before the next one.
   *
   * @throws IllegalArgumentException if there is no such section, or no such room
   */
  public ElfImage withSection(String name, ImageData data) {
    List<ElfSection> changed = new ArrayList<>(sections);
    for (int i = 0; i < changed.size(); i++) {
      ElfSection section = changed.get(i);
      if (section.name().equals(name)) {
        ElfSection grown = new ElfSection(name, section.loadAddress(), data);
        if (i + 1 < changed.size() && grown.end() > changed.get(i + 1).loadAddress()) {
          throw new IllegalArgumentException(
              "Section %s has room for 0x%x bytes up to %s, but is given 0x%x; reserve more when"
                      .formatted(
                          name,
                          changed.get(i + 1).loadAddress() - section.loadAddress(),
                          changed.get(i + 1).name(),
                          data.size())
                  + " linking");
        }
        changed.set(i, grown);
        return new ElfImage(order, machine, entryPoint, changed);
      }
    }
    throw new IllegalArgumentException(
        "There is no section %s to load, only %s".formatted(name, loadedSections())
            + (name.equals(".appended_dtb")
                ? "; build the kernel with CONFIG_MIPS_ELF_APPENDED_DTB"
                : ""));
  }

  /**
   * This image without some sections, as {@code objcopy -R}; those it does not have are no error.
   */
  public ElfImage withoutSections(Set<String> names) {
    return new ElfImage(
        order,
        machine,
        entryPoint,
        sections.stream().filter(section -> !names.contains(section.name())).toList());
  }

  /**
   * The bytes in memory from the first section to the last, with zeros between them.
   *
   * @throws IllegalStateException if there is nothing to load, or 2 GiB and more between the ends
   */
  public LoadableBinary toBinary() {
    List<ElfSection> loaded = sections.stream().filter(s -> s.data().size() > 0).toList();
    if (loaded.isEmpty()) {
      throw new IllegalStateException("This ELF file has nothing to load; is it an object file?");
    }
    long start = loaded.get(0).loadAddress();
    List<ImageData> pieces = new ArrayList<>();
    long at = start;
    for (ElfSection section : loaded) {
      if (section.loadAddress() < at || section.end() - start > MAX_BINARY) {
        throw new IllegalStateException(
            "Section %s at 0x%x %s"
                .formatted(
                    section.name(),
                    section.loadAddress(),
                    section.loadAddress() < at
                        ? "overlaps the one before it"
                        : "makes a binary of 2 GiB or more; leave it out with withoutSections"));
      }
      pieces.add(ImageData.zeros(section.loadAddress() - at));
      pieces.add(section.data());
      at = section.end();
    }
    return new LoadableBinary(start, entryPoint, ImageData.concat(pieces));
  }

  /** Contents that are loaded into memory. */
  record ElfSection(String name, long loadAddress, ImageData data) {
    static final Comparator<ElfSection> BY_ADDRESS =
        Comparator.comparingLong(ElfSection::loadAddress);

    long end() {
      return loadAddress + data.size();
    }
  }

  @Override
  public String toString() {
    return "ElfImage[machine %d, %s, entry 0x%x, %s]"
        .formatted(machine, order, entryPoint, loadedSections());
  }
}
