package org.liminix.uboot;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.zip.CRC32;

/**
 * A legacy U-Boot image: the 64-byte header of {@code mkimage} and what follows it.
 *
 * <pre>{@code
 * UImage kernel =
 *     UImage.builder()
 *         .architecture(CpuArchitecture.MIPS)
 *         .type(ImageType.KERNEL)
 *         .compression(Compression.LZMA)
 *         .loadAddress(0x80060000L)
 *         .entryPoint(0x80060000L)
 *         .name("MIPS Liminix Linux")
 *         .data(ImageData.file(Path.of("vmlinux.bin.lzma")))
 *         .build();
 * kernel.write(Path.of("uimage"));
 * }</pre>
 *
 * <p>Both CRCs are verified when one is read and computed when one is written. Bytes after the
 * image, such as the root filesystem in a {@code firmware.bin}, are left alone.
 *
 * <p>Immutable and thread-safe. Format: {@code struct legacy_img_hdr} in U-Boot's {@code
 * include/image.h}; all fields are big-endian.
 */
public final class UImage {
  /** The length of the header in bytes. */
  public static final int HEADER_SIZE = 64;

  static final int MAGIC = 0x27051956;
  private static final String FORMAT = "uImage";
  private static final int NAME_OFFSET = 32;
  private static final int NAME_SIZE = 32;
  private static final long MAX_U32 = 0xffff_ffffL;

  private final Instant timestamp;
  private final long loadAddress;
  private final long entryPoint;
  private final OperatingSystem os;
  private final CpuArchitecture architecture;
  private final ImageType type;
  private final Compression compression;
  private final String name;
  private final List<ImageData> parts;
  private final ImageData payload;

  private UImage(
      Instant timestamp,
      long loadAddress,
      long entryPoint,
      OperatingSystem os,
      CpuArchitecture architecture,
      ImageType type,
      Compression compression,
      String name,
      List<ImageData> parts,
      ImageData payload) {
    this.timestamp = timestamp;
    this.loadAddress = loadAddress;
    this.entryPoint = entryPoint;
    this.os = os;
    this.architecture = architecture;
    this.type = type;
    this.compression = compression;
    this.name = name;
    this.parts = parts;
    this.payload = payload;
  }

  /** Starts a new image. */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Reads the image at the start of a file, which is mapped, not copied: replace that file while
   * the image is in use, if you must, but do not overwrite it.
   */
  public static UImage read(Path file) throws IOException {
    return parse(ImageData.map(file));
  }

  /**
   * Reads the image at a buffer's position, whose bytes are shared, not copied.
   *
   * @throws ImageFormatException naming the field that is wrong
   */
  public static UImage parse(ByteBuffer image) {
    FieldReader in = new FieldReader(FORMAT, image, ByteOrder.BIG_ENDIAN);
    long magic = in.u32(0, "ih_magic");
    if (magic != MAGIC) {
      throw in.bad("ih_magic", 0, "0x%08x is not 0x%08x".formatted(magic, MAGIC));
    }
    long stated = in.u32(4, "ih_hcrc");
    long actual = headerCrc(in.bytes(0, HEADER_SIZE, "header"));
    if (stated != actual) {
      throw in.bad(
          "ih_hcrc",
          4,
          "0x%08x, but the header's CRC is 0x%08x; it is damaged".formatted(stated, actual));
    }
    ImageData payload = ImageData.of(in.bytes(HEADER_SIZE, in.u32(12, "ih_size"), "data"));
    long dataCrc = in.u32(24, "ih_dcrc");
    if (dataCrc != payload.crc32()) {
      throw in.bad(
          "ih_dcrc",
          24,
          "0x%08x, but the CRC of the data is 0x%08x; it is damaged"
              .formatted(dataCrc, payload.crc32()));
    }
    ImageType type = code(in, ImageType.values(), 30, "ih_type");
    return new UImage(
        Instant.ofEpochSecond(in.u32(8, "ih_time")),
        in.u32(16, "ih_load"),
        in.u32(20, "ih_ep"),
        code(in, OperatingSystem.values(), 28, "ih_os"),
        code(in, CpuArchitecture.values(), 29, "ih_arch"),
        type,
        code(in, Compression.values(), 31, "ih_comp"),
        name(in.bytes(NAME_OFFSET, NAME_SIZE, "ih_name")),
        hasTable(type) ? split(in, payload) : List.of(payload),
        payload);
  }

  private static long headerCrc(ByteBuffer header) {
    CRC32 crc = new CRC32();
    crc.update(header.slice(0, 4));
    crc.update(new byte[4]); // ih_hcrc counts as zero in its own sum
    crc.update(header.slice(8, HEADER_SIZE - 8));
    return crc.getValue();
  }

  private static <C extends ImageCode> C code(FieldReader in, C[] known, int offset, String field) {
    int id = in.u8(offset, field);
    for (C candidate : known) {
      if (candidate.id() == id) {
        return candidate;
      }
    }
    throw in.bad(field, offset, id + " is not a value mkimage gives a legacy image");
  }

  private static String name(ByteBuffer field) {
    int end = field.limit();
    while (end > 0 && field.get(end - 1) == 0) {
      end--;
    }
    return StandardCharsets.ISO_8859_1.decode(field.slice(0, end)).toString();
  }

  /** Multi-file images and scripts begin with a table of sizes that a zero ends. */
  private static boolean hasTable(ImageType type) {
    return type == ImageType.MULTI || type == ImageType.SCRIPT;
  }

  private static List<ImageData> split(FieldReader in, ImageData payload) {
    long end = HEADER_SIZE + payload.size();
    List<Long> sizes = new ArrayList<>();
    long at = HEADER_SIZE;
    while (true) {
      if (at + 4 > end) {
        throw in.bad("size table", at, "the data ends before the table's closing zero");
      }
      long size = in.u32(at, "size table");
      at += 4;
      if (size == 0) {
        break;
      }
      sizes.add(size);
    }
    List<ImageData> parts = new ArrayList<>();
    for (int i = 0; i < sizes.size(); i++) {
      long size = sizes.get(i);
      if (at + size > end) {
        throw in.bad(
            "size table",
            HEADER_SIZE + 4L * i,
            "part %d of %d bytes reaches beyond the end of the data at 0x%x"
                .formatted(i, size, end));
      }
      parts.add(payload.slice(at - HEADER_SIZE, size));
      at += ImageData.roundUp(size, 4);
    }
    return List.copyOf(parts);
  }

  /** When the image was made, to the second. */
  public Instant timestamp() {
    return timestamp;
  }

  /** Where U-Boot unpacks the data to, a 32-bit address. */
  public long loadAddress() {
    return loadAddress;
  }

  /** Where execution begins, a 32-bit address. */
  public long entryPoint() {
    return entryPoint;
  }

  /** The operating system. */
  public OperatingSystem os() {
    return os;
  }

  /** The processor. */
  public CpuArchitecture architecture() {
    return architecture;
  }

  /** What the data is. */
  public ImageType type() {
    return type;
  }

  /** How the data is compressed. */
  public Compression compression() {
    return compression;
  }

  /** The name, at most 32 bytes of Latin-1. */
  public String name() {
    return name;
  }

  /** The files in a multi-file image or a script; of any other image, its data. */
  public List<ImageData> parts() {
    return parts;
  }

  /** Everything after the header, with the size table of a multi-file image. */
  public ImageData payload() {
    return payload;
  }

  /** The length of header and data in bytes. */
  public long size() {
    return HEADER_SIZE + payload.size();
  }

  /** The image as it stands in a file; shares the bytes of its parts. */
  public ImageData toImageData() {
    ByteBuffer header = ByteBuffer.allocate(HEADER_SIZE);
    header.putInt(0, MAGIC);
    header.putInt(8, (int) timestamp.getEpochSecond());
    header.putInt(12, (int) payload.size());
    header.putInt(16, (int) loadAddress);
    header.putInt(20, (int) entryPoint);
    header.putInt(24, (int) payload.crc32());
    header.put(28, (byte) os.id());
    header.put(29, (byte) architecture.id());
    header.put(30, (byte) type.id());
    header.put(31, (byte) compression.id());
    header.put(NAME_OFFSET, name.getBytes(StandardCharsets.ISO_8859_1));
    header.putInt(4, (int) headerCrc(header));
    return ImageData.concat(List.of(ImageData.of(header), payload));
  }

  /** Writes header and data. */
  public void writeTo(WritableByteChannel channel) throws IOException {
    toImageData().writeTo(channel);
  }

  /** Writes header and data to a file, which is created or replaced. */
  public void write(Path file) throws IOException {
    toImageData().writeTo(file);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof UImage that && toImageData().equals(that.toImageData());
  }

  @Override
  public int hashCode() {
    return Objects.hash(name, timestamp, payload);
  }

  @Override
  public String toString() {
    return "UImage[%s, %s %s %s, %s, load 0x%08x, entry 0x%08x, %d bytes]"
        .formatted(
            name,
            architecture.shortName(),
            os.shortName(),
            type.shortName(),
            compression.shortName(),
            loadAddress,
            entryPoint,
            payload.size());
  }

  /** Collects what an image is made of. Not thread-safe. */
  public static final class Builder {
    private final Setting<Instant> timestamp = new Setting<>("timestamp");
    private final Setting<Long> loadAddress = new Setting<>("loadAddress");
    private final Setting<Long> entryPoint = new Setting<>("entryPoint");
    private final Setting<OperatingSystem> os = new Setting<>("os");
    private final Setting<CpuArchitecture> architecture = new Setting<>("architecture");
    private final Setting<ImageType> type = new Setting<>("type");
    private final Setting<Compression> compression = new Setting<>("compression");
    private final Setting<String> name = new Setting<>("name");
    private final List<ImageData> parts = new ArrayList<>();

    private Builder() {}

    /** When the image was made; the epoch by default, so that builds are reproducible. */
    public Builder timestamp(Instant value) {
      if (value.getEpochSecond() < 0 || value.getEpochSecond() > MAX_U32) {
        throw new IllegalArgumentException(
            "timestamp must lie between 1970 and 2106, the range of ih_time, not " + value);
      }
      timestamp.set(value);
      return this;
    }

    /** Where U-Boot unpacks the data to; 0 by default. */
    public Builder loadAddress(long value) {
      loadAddress.set(address("loadAddress", value));
      return this;
    }

    /** Where execution begins; at the load address by default. */
    public Builder entryPoint(long value) {
      entryPoint.set(address("entryPoint", value));
      return this;
    }

    private static long address(String setter, long value) {
      // A MIPS address read from an ELF file may come sign-extended.
      if (value >= Integer.MIN_VALUE && value < 0) {
        return value & MAX_U32;
      }
      if (value < 0 || value > MAX_U32) {
        throw new IllegalArgumentException(
            "%s 0x%x does not fit the 32 bits of a legacy image; use a Fit"
                .formatted(setter, value));
      }
      return value;
    }

    /** The operating system; Linux by default. */
    public Builder os(OperatingSystem value) {
      os.set(value);
      return this;
    }

    /** The processor. */
    public Builder architecture(CpuArchitecture value) {
      architecture.set(value);
      return this;
    }

    /** What the data is; a kernel by default. */
    public Builder type(ImageType value) {
      type.set(value);
      return this;
    }

    /** How the data already is compressed; not at all by default. */
    public Builder compression(Compression value) {
      compression.set(value);
      return this;
    }

    /** The name, at most 32 bytes of Latin-1. */
    public Builder name(String value) {
      if (!StandardCharsets.ISO_8859_1.newEncoder().canEncode(value)
          || value.length() > NAME_SIZE) {
        throw new IllegalArgumentException(
            "name must be at most %d characters of Latin-1: %s".formatted(NAME_SIZE, value));
      }
      name.set(value);
      return this;
    }

    /** The data; once for each file of a multi-file image, in their order. */
    public Builder data(ImageData part) {
      parts.add(part);
      return this;
    }

    /** The image. */
    public UImage build() {
      ImageType imageType = type.orElse(ImageType.KERNEL);
      if (parts.isEmpty()) {
        throw new IllegalStateException("An image needs contents; call data");
      }
      if (parts.size() > 1 && imageType != ImageType.MULTI) {
        throw new IllegalStateException(
            "%d files given to an image of type %s; call type(ImageType.MULTI)"
                .formatted(parts.size(), imageType.shortName()));
      }
      ImageData payload = hasTable(imageType) ? withTable() : parts.get(0);
      if (payload.size() > MAX_U32) {
        throw new IllegalStateException(
            payload.size() + " bytes do not fit the 32-bit ih_size of a legacy image; use a Fit");
      }
      return new UImage(
          Instant.ofEpochSecond(timestamp.orElse(Instant.EPOCH).getEpochSecond()),
          loadAddress.orElse(0L),
          entryPoint.orElse(loadAddress.orElse(0L)),
          os.orElse(OperatingSystem.LINUX),
          architecture.require("An image names its processor"),
          imageType,
          compression.orElse(Compression.NONE),
          name.orElse(""),
          List.copyOf(parts),
          payload);
    }

    private ImageData withTable() {
      List<ImageData> pieces = new ArrayList<>();
      ByteBuffer table = ByteBuffer.allocate(4 * (parts.size() + 1));
      for (ImageData part : parts) {
        if (part.size() == 0) {
          throw new IllegalStateException(
              "An empty part would end the table of sizes; leave it out");
        }
        table.putInt(Math.toIntExact(part.size()));
      }
      pieces.add(ImageData.of(table.rewind()));
      for (int i = 0; i < parts.size(); i++) {
        ImageData part = parts.get(i);
        pieces.add(i < parts.size() - 1 ? part.paddedTo(4) : part);
      }
      return ImageData.concat(pieces);
    }
  }
}
