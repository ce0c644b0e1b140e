package org.liminix.testkit.internal;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.liminix.testkit.ImageException;

/**
 * The modules of one kernel and what depends on what: which ones an image needs, in which order
 * they load, and the index files {@code modprobe} reads.
 */
final class KernelModules {
  private final String kernelName;
  private final Map<String, ModuleInfo> byName = new HashMap<>();
  private final Map<String, List<ModuleInfo>> byAlias = new HashMap<>();
  private final Set<String> builtIn;

  KernelModules(String kernelName, Collection<ModuleInfo> modules, Collection<String> builtIn) {
    this.kernelName = kernelName;
    this.builtIn = Set.copyOf(builtIn);
    for (ModuleInfo module : modules) {
      byName.put(module.name(), module);
      for (String alias : module.aliases()) {
        byAlias.computeIfAbsent(alias, key -> new ArrayList<>()).add(module);
      }
    }
  }

  /**
   * The modules with those names and everything they need, each after what it depends on. Names of
   * what the kernel has built in are fine and add nothing.
   *
   * @throws ImageException if the kernel has no such module
   */
  List<ModuleInfo> withDependencies(Collection<String> names) {
    Map<String, ModuleInfo> loaded = new LinkedHashMap<>();
    for (String name : names) {
      if (!isBuiltIn(name)) {
        add(require(name), loaded, new LinkedHashSet<>());
      }
    }
    return List.copyOf(loaded.values());
  }

  /** Whether the kernel itself holds that module. */
  boolean isBuiltIn(String name) {
    return builtIn.contains(ModuleInfo.canonical(name));
  }

  private void add(ModuleInfo module, Map<String, ModuleInfo> loaded, Set<String> path) {
    if (loaded.containsKey(module.name())) {
      return;
    }
    if (!path.add(module.name())) {
      // Only soft dependencies can form a circle; the kernel loads such modules in either order.
      return;
    }
    for (ModuleInfo dependency : direct(module)) {
      add(dependency, loaded, path);
    }
    loaded.put(module.name(), module);
  }

  private List<ModuleInfo> direct(ModuleInfo module) {
    List<ModuleInfo> needed = new ArrayList<>();
    for (String soft : module.softDepends()) {
      Optional.ofNullable(byName.get(ModuleInfo.canonical(soft)))
          .ifPresentOrElse(needed::add, () -> needed.addAll(byAlias.getOrDefault(soft, List.of())));
    }
    for (String name : module.depends()) {
      if (!isBuiltIn(name)) {
        needed.add(require(name));
      }
    }
    return needed;
  }

  private ModuleInfo require(String name) {
    ModuleInfo module = byName.get(ModuleInfo.canonical(name));
    if (module == null) {
      throw new ImageException(
          kernelName + " has no module named " + name + similarTo(ModuleInfo.canonical(name)));
    }
    return module;
  }

  private String similarTo(String name) {
    String stem = name.substring(0, Math.min(4, name.length()));
    String similar =
        byName.keySet().stream()
            .filter(other -> other.contains(name) || name.contains(other) || other.startsWith(stem))
            .sorted()
            .limit(8)
            .collect(Collectors.joining(", "));
    return similar.isEmpty()
        ? ". Module names are those lsmod shows, such as virtio_net"
        : "; it does have " + similar;
  }

  /** The text of {@code modules.dep} for these modules (modules.dep(5)). */
  String dependencyIndex(Collection<ModuleInfo> modules) {
    StringBuilder index = new StringBuilder();
    for (ModuleInfo module : modules) {
      Map<String, ModuleInfo> needed = new LinkedHashMap<>();
      add(module, needed, new LinkedHashSet<>());
      List<String> paths = new ArrayList<>(needed.values().stream().map(ModuleInfo::path).toList());
      // The last is the module itself; modprobe wants the rest with the deepest dependency last.
      paths.remove(paths.size() - 1);
      index.append(module.path()).append(':');
      for (int i = paths.size() - 1; i >= 0; i--) {
        index.append(' ').append(paths.get(i));
      }
      index.append('\n');
    }
    return index.toString();
  }

  /** The text of {@code modules.builtin}. */
  String builtInIndex() {
    return builtIn.stream()
        .sorted()
        .map(name -> "kernel/" + name + ".ko\n")
        .collect(Collectors.joining());
  }

  /** The text of {@code modules.alias} for these modules. */
  static String aliasIndex(Collection<ModuleInfo> modules) {
    StringBuilder index = new StringBuilder();
    for (ModuleInfo module : modules) {
      for (String alias : module.aliases()) {
        index.append("alias ").append(alias).append(' ').append(module.name()).append('\n');
      }
    }
    return index.toString();
  }
}
