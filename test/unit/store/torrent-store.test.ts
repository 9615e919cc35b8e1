import { downloadContract } from "../../support/store-contract/torrent-store.ts";

downloadContract();
