package org.liminix.uboot;

/** How an image is compressed: {@code IH_COMP_…} of U-Boot's {@code include/image.h}. */
public enum Compression implements ImageCode {
  NONE(0, "none"),
  GZIP(1, "gzip"),
  BZIP2(2, "bzip2"),
  LZMA(3, "lzma"),
  LZO(4, "lzo"),
  LZ4(5, "lz4"),
  ZSTD(6, "zstd");

  private final int id;
  private final String shortName;

  Compression(int id, String shortName) {
    this.id = id;
    this.shortName = shortName;
  }

  @Override
  public int id() {
    return id;
  }

  @Override
  public String shortName() {
    return shortName;
  }
}
