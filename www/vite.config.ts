import tailwind from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// Nothing may be inlined as a data: URL: the host's policy is `default-src 'self'`.
export default defineConfig({
  plugins: [react(), tailwind()],
  resolve: { alias: { "@": new URL("./src", import.meta.url).pathname } },
  build: { assetsInlineLimit: 0, chunkSizeWarningLimit: 900, target: "es2022", manifest: true },
  server: {
    host: "127.0.0.1",
    proxy: { "/api": process.env.GANDER_URL ?? "http://127.0.0.1:8700" },
  },
  test: { environment: "jsdom", include: ["src/**/*.test.{ts,tsx}"], restoreMocks: true },
});
