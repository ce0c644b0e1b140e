package org.liminix.uboot;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * The files that a script loads, by the names it loads them under.
 *
 * <pre>{@code
 * ImageSource served = ImageSource.directory(Path.of("/srv/tftp"));
 * long size = served.find("result/firmware.bin").orElseThrow().size();
 * }</pre>
 */
@FunctionalInterface
public interface ImageSource {
  /** The file of that name, if there is one. */
  Optional<ImageData> find(String name) throws IOException;

  /** The files below a directory, as a TFTP server whose root it is serves them. */
  static ImageSource directory(Path root) {
    return name -> {
      Path file = root.resolve(name.startsWith("/") ? name.substring(1) : name);
      return Files.isRegularFile(file) ? Optional.of(ImageData.file(file)) : Optional.empty();
    };
  }

  /** Files held in a map. */
  static ImageSource of(Map<String, ImageData> files) {
    Map<String, ImageData> copy = Map.copyOf(files);
    return name -> Optional.ofNullable(copy.get(name));
  }
}
