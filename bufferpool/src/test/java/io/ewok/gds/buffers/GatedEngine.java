package io.ewok.gds.buffers;

import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoFile;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;

/** Puts a piece of the test's code in front of every read of an engine's files. */
final class GatedEngine {
  private GatedEngine() {}

  static IoEngine beforeReads(IoEngine engine, Runnable gate) {
    return proxy(
        IoEngine.class,
        (method, arguments) -> {
          Object result = call(engine, method, arguments);
          return result instanceof IoFile file ? gated(file, gate) : result;
        });
  }

  private static IoFile gated(IoFile file, Runnable gate) {
    return proxy(
        IoFile.class,
        (method, arguments) -> {
          if (method.getName().equals("read")) {
            gate.run();
          }
          return call(file, method, arguments);
        });
  }

  private interface Handler {
    Object handle(Method method, Object[] arguments) throws Throwable;
  }

  private static <T> T proxy(Class<T> type, Handler handler) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (self, method, arguments) -> handler.handle(method, arguments)));
  }

  private static Object call(Object target, Method method, Object[] arguments) throws Throwable {
    try {
      return method.invoke(target, arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }
}
