package org.liminix.uboot;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Liminix's {@code flash.scr}: loads {@code firmware.bin} over TFTP and writes it to flash.
 *
 * <pre>{@code
 * FlashScript flash =
 *     FlashScript.builder()
 *         .serverIp("10.0.0.1")
 *         .ipAddress("10.0.0.8")
 *         .loadAddress(0xa00000)
 *         .firmware(ImageData.file(Path.of("result/firmware.bin")))
 *         .target(FlashTarget.nor(new AddressRange(0xbfc50000L, 0xfb0000), 0x10000))
 *         .build();
 * flash.check(board).verify();
 * flash.script().write(Path.of("flash.scr"));
 * }</pre>
 *
 * <p>Immutable and thread-safe. Format: Liminix, output {@code mtdimage}, formerly {@code
 * flashimage}.
 */
public final class FlashScript {
  private static final String FIRMWARE = "result/firmware.bin";

  private final UBootScript script;
  private final String name;
  private final ImageData firmware;

  private FlashScript(UBootScript script, String name, ImageData firmware) {
    this.script = script;
    this.name = name;
    this.firmware = firmware;
  }

  /** Starts a script. */
  public static Builder builder() {
    return new Builder();
  }

  /** The commands. */
  public UBootScript script() {
    return script;
  }

  /** What the TFTP server must serve, by name. */
  public Map<String, ImageData> files() {
    return Map.of(name, firmware);
  }

  /** Follows the script on paper. */
  public ScriptPlan check(MemoryMap board) {
    return script.check(board, ImageSource.of(files()));
  }

  /** Writes {@code flash.scr} and the firmware into a directory for a TFTP server. */
  public void write(Path directory) throws IOException {
    Path file = directory.resolve(Path.of(name).getFileName());
    Files.createDirectories(directory);
    firmware.writeTo(file);
    script.write(directory.resolve("flash.scr"));
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof FlashScript that
        && script.equals(that.script)
        && firmware.equals(that.firmware);
  }

  @Override
  public int hashCode() {
    return script.hashCode();
  }

  @Override
  public String toString() {
    return script.text();
  }

  /** Collects what the script needs to know. Not thread-safe. */
  public static final class Builder {
    private final ScriptHead head = new ScriptHead();
    private final Setting<ImageData> firmware = new Setting<>("firmware");
    private final Setting<String> name = new Setting<>("firmwareName");
    private final Setting<FlashTarget> target = new Setting<>("target");
    private final Setting<String> commandLine = new Setting<>("commandLine");

    private Builder() {}

    /** The address of the TFTP server. */
    public Builder serverIp(String address) {
      head.serverIp(address);
      return this;
    }

    /** The address that U-Boot takes for itself. */
    public Builder ipAddress(String address) {
      head.ipAddress(address);
      return this;
    }

    /** Where in RAM the firmware is loaded first. */
    public Builder loadAddress(long address) {
      head.loadAddress(address);
      return this;
    }

    /** The image to write. */
    public Builder firmware(ImageData image) {
      firmware.set(image);
      return this;
    }

    /** The name to ask the TFTP server for; {@code result/firmware.bin} by default. */
    public Builder firmwareName(String value) {
      name.set(Words.requirePlain("firmwareName", value));
      return this;
    }

    /** Where it goes. */
    public Builder target(FlashTarget value) {
      target.set(value);
      return this;
    }

    /** The kernel's command line, which the script echoes for whoever reads along. */
    public Builder commandLine(String value) {
      commandLine.set(value);
      return this;
    }

    /** The script. */
    public FlashScript build() {
      ImageData image = firmware.require("There must be something to flash");
      FlashTarget where = target.require("The firmware must go somewhere");
      if (image.size() == 0 || image.size() > where.range().size()) {
        throw new IllegalStateException(
            "A firmware of 0x%x bytes does not fit the 0x%x bytes of its flash region"
                .formatted(image.size(), where.range().size()));
      }
      String file = name.orElse(FIRMWARE);
      List<String> lines = head.lines();
      lines.add("tftp 0x%X %s".formatted(head.loadAddress(), file));
      lines.addAll(where.commands(head.loadAddress(), image.size()));
      commandLine
          .get()
          .ifPresent(line -> lines.add("echo command line was " + Words.doubleQuoted(line)));
      return new FlashScript(UBootScript.parse(String.join("\n", lines)), file, image);
    }
  }
}
