package org.liminix.tftp;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/** No name climbs out of a folder; run with {@code JAZZER_FUZZ=1} to search for one. */
class NameFuzzTest {
  private static final Path FOLDER = Path.of("/srv/tftp");

  @FuzzTest(maxDuration = "2m")
  void staysInTheFolderWhateverTheName(FuzzedDataProvider data) {
    String name = data.consumeRemainingAsString();
    try {
      Path found = Catalogue.inside(FOLDER, name);
      if (!found.equals(found.normalize()) || !found.startsWith(FOLDER)) {
        throw new AssertionError(name + " is " + found);
      }
      TftpRequest.printable(name);
    } catch (InvalidPathException | TftpException expected) {
      // such a name is refused
    }
  }
}
