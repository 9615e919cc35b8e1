import { hostilePlacesContract } from "../../support/store-contract/hostile-places.ts";

hostilePlacesContract();
