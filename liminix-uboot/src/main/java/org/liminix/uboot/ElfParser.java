package org.liminix.uboot;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.liminix.uboot.ElfImage.ElfSection;

/** Finds in an ELF file what is loaded into memory, and where: System V ABI, chapters 4 and 5. */
final class ElfParser {
  private static final String FORMAT = "ELF";
  private static final int MAGIC = 0x7f454c46;
  private static final int PT_LOAD = 1;
  private static final int SHT_NULL = 0;
  private static final int SHT_NOBITS = 8;
  private static final int SHF_ALLOC = 2;

  private final FieldReader in;
  private final ByteOrder order;
  private final boolean wide;
  private final List<Segment> segments = new ArrayList<>();

  private record Segment(
      long headerAt, long offset, long address, long loadAddress, long fileSize, long memorySize) {
    /** Whether a section's contents lie in this segment's part of the file. */
    boolean holds(long sectionOffset, long sectionSize) {
      return sectionOffset >= offset && sectionOffset + sectionSize <= offset + fileSize;
    }
  }

  ElfParser(ByteBuffer image) {
    FieldReader ident = new FieldReader(FORMAT, image, ByteOrder.BIG_ENDIAN);
    long magic = ident.u32(0, "e_ident");
    if (magic != MAGIC) {
      throw ident.bad("e_ident", 0, "0x%08x is not 0x%08x".formatted(magic, MAGIC));
    }
    int elfClass = ident.u8(4, "EI_CLASS");
    if (elfClass != 1 && elfClass != 2) {
      throw ident.bad("EI_CLASS", 4, elfClass + " is neither 1 (32 bits) nor 2 (64 bits)");
    }
    int data = ident.u8(5, "EI_DATA");
    if (data != 1 && data != 2) {
      throw ident.bad("EI_DATA", 5, data + " is neither 1 (little-endian) nor 2 (big-endian)");
    }
    wide = elfClass == 2;
    order = data == 1 ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN;
    in = new FieldReader(FORMAT, image, order);
    readSegments();
  }

  ByteOrder order() {
    return order;
  }

  int machine() {
    return in.u16(18, "e_machine");
  }

  long entryPoint() {
    return wide ? in.i64(24, "e_entry") : in.u32(24, "e_entry");
  }

  /** A field whose offset and width depend on the class. */
  private long word(long base, int narrowOffset, int wideOffset, String field) {
    return wide ? in.u63(base + wideOffset, field) : in.u32(base + narrowOffset, field);
  }

  private int half(int narrowOffset, int wideOffset, String field) {
    return in.u16(wide ? wideOffset : narrowOffset, field);
  }

  /** Entries that overlapped would let a small file ask for a lot of work. */
  private int entrySize(
      int count, int narrowOffset, int wideOffset, int narrowSize, int wideSize, String field) {
    int size = half(narrowOffset, wideOffset, field);
    int needed = wide ? wideSize : narrowSize;
    if (count > 0 && size < needed) {
      throw in.bad(
          field,
          wide ? wideOffset : narrowOffset,
          "%d is less than the %d bytes of an entry".formatted(size, needed));
    }
    return size;
  }

  private void readSegments() {
    long table = word(0, 28, 32, "e_phoff");
    int count = half(44, 56, "e_phnum");
    int entrySize = entrySize(count, 42, 54, 32, 56, "e_phentsize");
    for (int i = 0; i < count; i++) {
      long at = table + (long) i * entrySize;
      if (in.u32(at, "p_type") == PT_LOAD) {
        segments.add(
            new Segment(
                at,
                word(at, 4, 8, "p_offset"),
                address(at, 8, 16, "p_vaddr"),
                address(at, 12, 24, "p_paddr"),
                word(at, 16, 32, "p_filesz"),
                word(at, 20, 40, "p_memsz")));
      }
    }
  }

  /** An address of a 64-bit MIPS kernel is negative as a {@code long}. */
  private long address(long base, int narrowOffset, int wideOffset, String field) {
    return wide ? in.i64(base + wideOffset, field) : in.u32(base + narrowOffset, field);
  }

  List<ElfSection> contents() {
    List<ElfSection> contents = new ArrayList<>();
    int count = half(48, 60, "e_shnum");
    if (count == 0) {
      segments.forEach(segment -> contents.add(whole(segment)));
    } else {
      long table = word(0, 32, 40, "e_shoff");
      int entrySize = entrySize(count, 46, 58, 40, 64, "e_shentsize");
      long names = table + (long) half(50, 62, "e_shstrndx") * entrySize;
      for (int i = 0; i < count; i++) {
        long at = table + (long) i * entrySize;
        long type = in.u32(at + 4, "sh_type");
        boolean loaded = (word(at, 8, 8, "sh_flags") & SHF_ALLOC) != 0;
        if (loaded && type != SHT_NULL && type != SHT_NOBITS) {
          contents.add(section(at, names));
        }
      }
    }
    contents.sort(ElfSection.BY_ADDRESS);
    return contents;
  }

  private ElfSection whole(Segment segment) {
    return new ElfSection(
        "segment at 0x%x".formatted(segment.address),
        segment.loadAddress,
        ImageData.of(in.bytes(segment.offset, segment.fileSize, "p_offset")));
  }

  private ElfSection section(long at, long names) {
    long offset = word(at, 16, 24, "sh_offset");
    long size = word(at, 20, 32, "sh_size");
    ImageData data = ImageData.of(in.bytes(offset, size, "sh_offset"));
    long loadAddress =
        segments.stream()
            .filter(segment -> segment.holds(offset, size))
            .findFirst()
            .map(segment -> segment.loadAddress + offset - segment.offset)
            .orElseGet(() -> address(at, 12, 16, "sh_addr"));
    return new ElfSection(name(names, in.u32(at, "sh_name")), loadAddress, data);
  }

  private String name(long names, long index) {
    long start = word(names, 16, 24, "sh_offset of the section names") + index;
    long end = start;
    while (in.u8(end, "sh_name") != 0) {
      end++;
    }
    return StandardCharsets.ISO_8859_1.decode(in.bytes(start, end - start, "sh_name")).toString();
  }
}
